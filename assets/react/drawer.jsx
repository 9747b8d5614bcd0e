// The sidebar: beside the page where there is room, a drawer over it on a phone. Escape, the veil and following a link
// close it; while closed on a phone nothing in it can be reached.

import { useEffect, useRef, useSyncExternalStore } from "react";
import { useLocation } from "react-router";

const listeners = new Set();
let open = false;
const subscribe = (listener) => (listeners.add(listener), () => listeners.delete(listener));
const setOpen = (value) => {
  open = value;
  for (const listener of listeners) listener();
};
const useOpen = () =>
  useSyncExternalStore(
    subscribe,
    () => open,
    () => false,
  );

export function DrawerButton({ label }) {
  const shown = useOpen();
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      aria-expanded={shown}
      aria-controls="side"
      onClick={() => setOpen(!shown)}
    >
      <svg viewBox="0 0 20 20" width="19" height="19" aria-hidden="true">
        <path d="M3.5 6h13M3.5 10h13M3.5 14h8" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      </svg>
    </button>
  );
}

export function Drawer({ label, children }) {
  const shown = useOpen();
  const element = useRef(null);
  const place = useLocation().pathname;
  useEffect(() => setOpen(false), [place]);
  useEffect(() => {
    if (!shown) return;
    const before = document.activeElement;
    element.current?.querySelector("a, button")?.focus();
    const escape = (event) => event.key === "Escape" && !event.defaultPrevented && setOpen(false);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("keydown", escape);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [shown]);
  return (
    <>
      <div className="veil" data-open={shown || undefined} aria-hidden="true" onClick={() => setOpen(false)} />
      <nav className="side" id="side" aria-label={label} data-open={shown || undefined} ref={element}>
        {children}
      </nav>
    </>
  );
}

// For what stays on the same address (a new chat on the chat page).
export const closeDrawer = () => setOpen(false);
