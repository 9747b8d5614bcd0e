// Where a question is written. Enter sends, Shift+Enter starts a line; files are chosen, dropped or pasted. The draft
// stays in this browser tab until it is sent.

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useOwnAddress } from "./address.js";
import { useDrop, useUploads, UploadRows } from "./files.jsx";
import { addFiles } from "./uploads.js";

const useBrowserLayoutEffect = typeof window === "undefined" ? useEffect : useLayoutEffect;
const draftKey = (conversation) => `youworker.draft.${conversation || "new"}`;

function readDraft(conversation) {
  try {
    return sessionStorage.getItem(draftKey(conversation)) ?? "";
  } catch {
    return "";
  }
}

function keepDraft(conversation, text) {
  try {
    if (text) sessionStorage.setItem(draftKey(conversation), text);
    else sessionStorage.removeItem(draftKey(conversation));
  } catch {
    // storage is closed: the draft lives as long as the page
  }
}

export function Composer({
  conversation,
  running,
  limit = 16000,
  csrf,
  fields,
  labels,
  errors,
  suggestion,
  returned,
  onSend,
  onStop,
  onStored,
  children,
}) {
  const [text, setText] = useState("");
  const area = useRef(null);
  const input = useRef(null);
  const send = (files) => addFiles(files, { csrf, fields, origin: "chat", onStored });
  const waiting = useUploads("chat");
  const over = usePageDrop(send);
  useOwnAddress(conversation);

  useEffect(() => setText(readDraft(conversation)), [conversation]);
  useEffect(() => {
    if (window.matchMedia("(pointer: fine)").matches) area.current?.focus();
  }, [conversation]);
  // `suggestion` and `returned` are {n, text}: a new n puts the text here (an example that was picked, a refused question).
  useEffect(() => {
    if (suggestion?.n) write(suggestion.text, true);
  }, [suggestion?.n]);
  useEffect(() => {
    if (returned?.n) write(returned.text, true);
  }, [returned?.n]);
  useBrowserLayoutEffect(() => {
    const element = area.current;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, window.innerHeight * 0.4)}px`;
  }, [text]);

  const write = (value, focus) => {
    setText(value);
    keepDraft(conversation, value);
    if (focus) area.current?.focus();
  };
  const tooLong = text.length > limit;
  const ready = text.trim() !== "" && !tooLong && !running;
  const submit = () => {
    if (!ready) return;
    onSend?.(text.trim());
    write("", true);
  };
  return (
    <div className="composer" data-over={over || undefined}>
      <UploadRows items={waiting} labels={labels} errors={errors} />
      {children}
      <textarea
        ref={area}
        id="question"
        rows={1}
        value={text}
        placeholder={labels.placeholder}
        aria-label={labels.placeholder}
        aria-describedby="question-limit"
        aria-invalid={tooLong || undefined}
        onChange={(event) => write(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
            event.preventDefault();
            submit();
          }
        }}
        onPaste={(event) => {
          if (event.clipboardData.files.length) {
            event.preventDefault();
            send([...event.clipboardData.files]);
          }
        }}
      />
      <div className="composer-row">
        <button
          type="button"
          className="icon-button"
          aria-label={labels.attach}
          title={labels.attach}
          onClick={() => input.current.click()}
        >
          <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
            <path
              d="m16.2 9.3-6.5 6.4a4 4 0 0 1-5.6-5.7l6.9-6.8a2.7 2.7 0 0 1 3.8 3.8l-6.8 6.7a1.3 1.3 0 0 1-1.9-1.9l6-5.9"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.5"
              strokeLinecap="round"
              strokeLinejoin="round"
            />
          </svg>
        </button>
        <span id="question-limit" className="limit" data-over={tooLong || undefined} aria-live="polite">
          {text.length > limit * 0.8 ? `${text.length.toLocaleString()} / ${limit.toLocaleString()}` : ""}
        </span>
        {running ? (
          <button type="button" className="send" aria-label={labels.stop} title={labels.stop} onClick={() => onStop?.()}>
            <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
              <rect x="5.5" y="5.5" width="9" height="9" rx="2" fill="currentColor" />
            </svg>
          </button>
        ) : (
          <button type="button" className="send" aria-label={labels.send} title={labels.send} disabled={!ready} onClick={submit}>
            <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
              <path
                d="M10 15.5v-11m0 0L5.5 9M10 4.5 14.5 9"
                fill="none"
                stroke="currentColor"
                strokeWidth="1.8"
                strokeLinecap="round"
                strokeLinejoin="round"
              />
            </svg>
          </button>
        )}
      </div>
      <input
        id="attach"
        ref={input}
        type="file"
        multiple
        hidden
        aria-hidden="true"
        tabIndex={-1}
        onChange={(event) => {
          if (event.target.files.length) send([...event.target.files]);
          event.target.value = "";
        }}
      />
      {over ? <div className="composer-drop">{labels.drop}</div> : null}
    </div>
  );
}

// Files dropped anywhere on the chat page come here.
function usePageDrop(onFiles) {
  const { over, handlers } = useDrop(onFiles);
  const latest = useRef(handlers);
  latest.current = handlers;
  useEffect(() => {
    const names = { dragenter: "onDragEnter", dragover: "onDragOver", dragleave: "onDragLeave", drop: "onDrop" };
    const listeners = Object.entries(names).map(([name, key]) => [name, (event) => latest.current[key](event)]);
    for (const [name, listener] of listeners) document.addEventListener(name, listener);
    return () => listeners.forEach(([name, listener]) => document.removeEventListener(name, listener));
  }, []);
  return over;
}
