// The scrolling part of a conversation. A question that was just asked goes to the top and its answer grows below it, so
// that one reads from its beginning; who scrolls down to the end follows the newest words. Earlier messages come in above
// without moving what is being read.

import { useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR = 80;
const ROOM = 24;
const BY_HAND_MS = 700;
const useBrowserLayoutEffect = typeof window === "undefined" ? useEffect : useLayoutEffect;
const stillness = () => (window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth");

export function Thread({ conversation, more, label, labels, onOlder, children }) {
  const box = useRef(null);
  const inner = useRef(null);
  const place = useRef({ following: true, asked: 0, held: false, byHand: -BY_HAND_MS });
  const [away, setAway] = useState(false);

  const rest = () => box.current.scrollHeight - box.current.scrollTop - box.current.clientHeight;
  const toEnd = (behavior) => box.current?.scrollTo({ top: box.current.scrollHeight, behavior });

  useBrowserLayoutEffect(() => {
    const asked = inner.current.querySelectorAll(".mine").length;
    // An answer that is being written when the page opens is shown from its question on, as if it was asked now.
    const writing = inner.current.querySelector("[data-writing]") ? 1 : 0;
    place.current = { following: !writing, asked: asked - writing, held: false, byHand: -BY_HAND_MS, opened: false };
    inner.current.style.paddingBottom = "";
    toEnd("instant");
  }, [conversation]);

  useEffect(() => {
    const settle = () => {
      if (!inner.current || !box.current) return;
      const state = place.current;
      const questions = inner.current.querySelectorAll(".mine");
      const question = questions[questions.length - 1];
      const writing = Boolean(inner.current.querySelector("[data-writing]"));
      const isNew = writing && questions.length > state.asked;
      if (writing) state.held = true;
      if (state.held && question) {
        const end = inner.current.lastElementChild.getBoundingClientRect().bottom;
        const used = end - question.getBoundingClientRect().top;
        const left = box.current.clientHeight - used - ROOM;
        inner.current.style.paddingBottom = `${Math.max(ROOM * 2, left)}px`;
      }
      if (isNew) {
        state.following = false;
        const top = question.getBoundingClientRect().top - box.current.getBoundingClientRect().top;
        box.current.scrollBy({ top: top - ROOM, behavior: state.opened ? stillness() : "instant" });
      } else if (state.following) toEnd("instant");
      state.asked = questions.length;
      state.opened = true;
      setAway(rest() > NEAR * 3);
    };
    const watch = new ResizeObserver(settle);
    watch.observe(inner.current);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);

  const byHand = () => {
    place.current.byHand = performance.now();
  };
  const scrolled = () => {
    if (performance.now() - place.current.byHand < BY_HAND_MS) place.current.following = rest() < NEAR;
    setAway(rest() > NEAR * 3);
  };
  const older = () => {
    const before = box.current.scrollHeight;
    place.current.following = false;
    onOlder?.();
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
      <div
        className="thread"
        ref={box}
        onScroll={scrolled}
        onWheel={byHand}
        onTouchMove={byHand}
        onKeyDown={byHand}
        onPointerDown={byHand}
        tabIndex={0}
        role="region"
        aria-label={label}
      >
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
            place.current.following = true;
            toEnd(stillness());
          }}
        >
          <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
            <path
              d="M10 4.5v11m0 0L5.5 11m4.5 4.5 4.5-4.5"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.6"
              strokeLinecap="round"
              strokeLinejoin="round"
            />
          </svg>
        </button>
      ) : null}
    </div>
  );
}
