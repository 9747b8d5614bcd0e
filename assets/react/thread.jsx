// The scrolling part of a conversation: stays at the newest words while the reader is there, leaves the reader alone
// otherwise and offers the way back; asks for earlier messages at the top.

import { useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR = 80;
const useBrowserLayoutEffect = typeof window === "undefined" ? useEffect : useLayoutEffect;

export function Thread({ conversation, more, label, labels, onOlder, children }) {
  const box = useRef(null);
  const inner = useRef(null);
  const following = useRef(true);
  const height = useRef(0);
  const [away, setAway] = useState(false);

  const toEnd = (behavior) => box.current?.scrollTo({ top: box.current.scrollHeight, behavior });

  useBrowserLayoutEffect(() => {
    following.current = true;
    setAway(false);
    toEnd("instant");
  }, [conversation]);

  useEffect(() => {
    const watch = new ResizeObserver(() => {
      if (following.current) toEnd("instant");
      height.current = box.current?.scrollHeight ?? 0;
    });
    watch.observe(inner.current);
    return () => watch.disconnect();
  }, []);

  const scrolled = () => {
    const element = box.current;
    const rest = element.scrollHeight - element.scrollTop - element.clientHeight;
    following.current = rest < NEAR;
    setAway(rest > NEAR * 3);
  };
  const older = () => {
    const before = box.current.scrollHeight;
    following.current = false;
    onOlder?.();
    // Keep the reader's place when earlier messages come in above.
    const watch = new ResizeObserver(() => {
      const grown = box.current.scrollHeight - before;
      if (grown > 0) {
        box.current.scrollTop += grown;
        watch.disconnect();
      }
    });
    watch.observe(inner.current);
    setTimeout(() => watch.disconnect(), 4000);
  };

  return (
    <div className="thread-wrap">
      <div className="thread" ref={box} onScroll={scrolled} tabIndex={0} role="region" aria-label={label}>
        <div className="thread-inner" ref={inner}>
          {more ? (
            <button type="button" className="button quiet older" onClick={older}>
              {labels.older}
            </button>
          ) : null}
          {children}
        </div>
      </div>
      {away ? (
        <button
          type="button"
          className="to-end"
          aria-label={labels.newest}
          title={labels.newest}
          onClick={() => {
            following.current = true;
            toEnd(window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");
          }}
        >
          <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
            <path d="M10 4.5v11m0 0L5.5 11m4.5 4.5 4.5-4.5" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" />
          </svg>
        </button>
      ) : null}
    </div>
  );
}
