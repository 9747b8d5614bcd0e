// One answer. Live: reads the run's events and renders the growing text; finished: renders what it is given. What streams
// never passes through the page's state.

import { memo, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { BlockSplitter, mendTail, splitBlocks } from "./blocks.js";
import { copyText } from "./clipboard.js";
import { CiteContext, MarkdownBlock } from "./markdown.jsx";
import { runStream } from "./stream.js";

const NOTHING = { text: "", thinking: "", stage: "", citations: null, over: false, away: false };
const noSubscription = () => () => {};

export function AnswerView({ runId, live, content, citations, labels, note, noteKind, onCite, onDone, children }) {
  const run = live && runId ? runStream(runId) : null;
  const streamed = useSyncExternalStore(
    run ? run.subscribe : noSubscription,
    run ? run.snapshot : () => NOTHING,
    () => NOTHING,
  );
  const told = useRef("");
  useEffect(() => {
    if (run && streamed.over && told.current !== runId) {
      told.current = runId;
      onDone?.(runId);
    }
  }, [run, streamed.over, runId]);

  const text = run ? streamed.text : content || "";
  const began = run ? performance.now() : 0;
  useEffect(() => run?.cost(performance.now() - began), [run, text]);
  const list = useMemo(
    () => ((run && streamed.citations) || citations || []).map((c) => ({ where: place(c.locator, labels), ...c })),
    [run, streamed.citations, citations, labels],
  );
  const known = useKnown(list);
  const cite = useRef(onCite);
  cite.current = onCite;
  const context = useMemo(() => ({ known, labels, onCite: (n) => cite.current?.(n) }), [known, labels]);
  const writing = Boolean(run) && !streamed.over;
  const waiting = writing && !text;

  return (
    <CiteContext.Provider value={context}>
      <div className="answer" aria-busy={writing} data-writing={writing || undefined}>
        {run && streamed.thinking ? <Thinking text={streamed.thinking} open={waiting} labels={labels} /> : null}
        {waiting ? <Status stage={streamed.stage} labels={labels} /> : null}
        {text ? <GrowingMarkdown text={text} growing={writing} known={known} /> : null}
        {writing && streamed.away ? <p className="answer-away">{labels.away}</p> : null}
        {note ? (
          <p className="answer-note" data-kind={noteKind}>
            {note}
          </p>
        ) : null}
        {writing ? null : (
          <Footer text={text} list={list} labels={labels} onCite={context.onCite}>
            {children}
          </Footer>
        )}
        <span className="sr-only" role="status">
          {writing ? stageWord(streamed.stage, labels) : run ? labels.ready : ""}
        </span>
      </div>
    </CiteContext.Provider>
  );
}

// Numbers to citations, the same Map as long as nothing in it changed: settled blocks stay as they are.
function useKnown(list) {
  const key = list.map((c) => `${c.n}:${c.available}:${c.filename}:${c.where ?? ""}`).join("|");
  return useMemo(() => new Map(list.map((c) => [c.n, c])), [key]);
}

// Where a passage stands, in words: the stream brings {kind, label}.
function place(locator, labels) {
  return locator?.label ? (labels[locator.kind] ?? "{label}").replace("{label}", locator.label) : "";
}

function stageWord(stage, labels) {
  return { searching: labels.searching, thinking: labels.thinking, writing: labels.writing }[stage] ?? labels.searching;
}

function Status({ stage, labels }) {
  return (
    <p className="answer-status" aria-hidden="true">
      <span className="dots">
        <i />
        <i />
        <i />
      </span>
      {stageWord(stage, labels)}
    </p>
  );
}

function Thinking({ text, open, labels }) {
  return (
    <details className="thinking" data-open={open || undefined}>
      <summary>{labels.thoughts}</summary>
      <div className="thinking-text">{text}</div>
    </details>
  );
}

const GrowingMarkdown = memo(function GrowingMarkdown({ text, growing, known }) {
  const splitter = useRef(null);
  splitter.current ??= new BlockSplitter();
  let blocks;
  if (growing) {
    const { settled, tail, fence } = splitter.current.update(text);
    blocks = [...settled, mendTail(tail, fence)];
  } else {
    blocks = splitBlocks(text);
  }
  return (
    <div className="prose">
      {blocks.map((block, index) => (block.trim() ? <MarkdownBlock key={index} text={block} known={known} /> : null))}
    </div>
  );
});

// What can be done with an answer, in one line: copy it where there is one, and what the page adds.
function Footer({ text, list, labels, onCite, children }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    if (await copyText(text)) {
      setCopied(true);
      setTimeout(() => setCopied(false), 1600);
    }
  };
  const used = list.filter((c) => new RegExp(`\\[(?:\\d+\\s*,\\s*)*${c.n}(?:\\s*,\\s*\\d+)*\\]`).test(text));
  return (
    <div className="answer-foot">
      {used.length ? (
        <ul className="sources" aria-label={labels.sources}>
          {used.map((c) => (
            <li key={c.n}>
              <button type="button" className="source" data-gone={!c.available || undefined} onClick={() => onCite(c.n)}>
                <span className="source-n">{c.n}</span>
                <span className="source-name">{c.available ? c.filename : labels.gone}</span>
                {c.available && c.where ? <span className="source-where">{c.where}</span> : null}
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      {text ? (
        <button type="button" className="foot-button" onClick={copy} aria-live="polite">
          {copied ? labels.copied : labels.copy}
        </button>
      ) : null}
      {children}
    </div>
  );
}
