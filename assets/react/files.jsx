// Sending files: the place to drop them on, what is on its way, what was refused and why.

import { useRef, useState, useSyncExternalStore } from "react";
import { addFiles, cancelUpload, dismiss, retryUpload, sentence, serverSnapshot, snapshot, subscribe } from "./uploads.js";

export function useUploads(origin) {
  const all = useSyncExternalStore(subscribe, snapshot, serverSnapshot);
  return all.filter((item) => item.origin === origin);
}

// Drag state of an element; leaving towards a child does not count.
export function useDrop(onFiles) {
  const [over, setOver] = useState(false);
  const depth = useRef(0);
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const stop = () => {
    depth.current = 0;
    setOver(false);
  };
  return {
    over,
    handlers: {
      onDragEnter: (event) => hasFiles(event) && (event.preventDefault(), (depth.current += 1), setOver(true)),
      onDragOver: (event) => hasFiles(event) && event.preventDefault(),
      onDragLeave: (event) => hasFiles(event) && --depth.current <= 0 && stop(),
      onDrop: (event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        stop();
        if (event.dataTransfer.files.length) onFiles(event.dataTransfer.files);
      },
    },
  };
}

export function UploadZone({ csrf, fields, labels, errors, onStored }) {
  const input = useRef(null);
  const send = (files) => addFiles(files, { csrf, fields, origin: "documents", onStored });
  const { over, handlers } = useDrop(send);
  const waiting = useUploads("documents");
  return (
    <div>
      <div className="drop" data-over={over || undefined} {...handlers}>
        <svg viewBox="0 0 24 24" width="26" height="26" aria-hidden="true" className="drop-icon">
          <path
            d="M12 15.5V4.5m0 0L7.5 9M12 4.5 16.5 9M4.5 15v2.6c0 1 .9 1.9 1.9 1.9h11.2c1 0 1.9-.9 1.9-1.9V15"
            fill="none"
            stroke="currentColor"
            strokeWidth="1.6"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </svg>
        <p className="drop-line">{labels.drop}</p>
        <button type="button" className="button secondary" onClick={() => input.current.click()}>
          {labels.choose}
        </button>
        <p className="drop-hint">{labels.hint}</p>
        <input
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
      </div>
      <UploadRows items={waiting} labels={labels} errors={errors} />
    </div>
  );
}

export function UploadRows({ items, labels, errors }) {
  if (!items.length) return null;
  return (
    <ul className="uploads" aria-label={labels.sending}>
      {items.map((item) => (
        <li key={item.id} className="upload" data-state={item.state}>
          <div className="upload-line">
            <span className="upload-name">{item.name}</span>
            {item.state === "sending" ? <span className="upload-part">{Math.round(item.progress * 100)} %</span> : null}
            {item.state === "failed" ? (
              <>
                <button type="button" className="foot-button" onClick={() => retryUpload(item.id)}>
                  {labels.retry}
                </button>
                <button type="button" className="foot-button" onClick={() => dismiss(item.id)}>
                  {labels.dismiss}
                </button>
              </>
            ) : (
              <button type="button" className="foot-button" onClick={() => cancelUpload(item.id)}>
                {labels.cancel}
              </button>
            )}
          </div>
          {item.state === "failed" ? (
            <p className="upload-error" role="alert">
              {sentence(item.error, errors)}
            </p>
          ) : (
            <progress className="bar" max="1" value={item.progress} aria-label={item.name} />
          )}
        </li>
      ))}
    </ul>
  );
}

// Opens the composer's own choice of files from elsewhere on the page.
export function AttachButton({ className, children }) {
  return (
    <button type="button" className={className} onClick={() => document.getElementById("attach")?.click()}>
      {children}
    </button>
  );
}
