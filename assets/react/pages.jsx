// A document's page as a picture, with the pages before and after.

import { useEffect, useState } from "react";

export function PagePicture({ fileId, page, pages, chunkId, labels }) {
  const [shown, setShown] = useState(page || 1);
  const [state, setState] = useState("loading");
  useEffect(() => setShown(page || 1), [fileId, page, chunkId]);
  const marked = chunkId && shown === page ? `?chunk_id=${encodeURIComponent(chunkId)}` : "";
  const source = `/v1/files/${encodeURIComponent(fileId)}/pages/${shown}.png${marked}`;
  useEffect(() => setState("loading"), [source]);
  const last = pages || shown;
  const name = labels.page.replace("{page}", shown).replace("{pages}", last);
  return (
    <figure className="page">
      <div className="page-frame" data-state={state}>
        {state === "failed" ? (
          <p className="page-failed">{labels.failed}</p>
        ) : (
          <img
            key={source}
            src={source}
            alt={name}
            onLoad={() => setState("shown")}
            onError={() => setState("failed")}
          />
        )}
      </div>
      <figcaption className="page-steps">
        <button
          type="button"
          className="icon-button"
          aria-label={labels.previous}
          title={labels.previous}
          disabled={shown <= 1}
          onClick={() => setShown(shown - 1)}
        >
          <Arrow d="M12 5 7 10l5 5" />
        </button>
        <span aria-live="polite">{name}</span>
        <button
          type="button"
          className="icon-button"
          aria-label={labels.next}
          title={labels.next}
          disabled={shown >= last}
          onClick={() => setShown(shown + 1)}
        >
          <Arrow d="m8 5 5 5-5 5" />
        </button>
      </figcaption>
    </figure>
  );
}

function Arrow({ d }) {
  return (
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      <path d={d} fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}
