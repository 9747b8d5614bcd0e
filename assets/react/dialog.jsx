// Windows over the page. `Dialog` is modal: the browser's own dialog element keeps focus inside and the rest inert.
// `SidePanel` stands beside the page where there is room, and over it on a phone.

import { useEffect, useRef, useState } from "react";

export function Dialog({ open, label, className, onClose, children }) {
  const element = useRef(null);
  useEffect(() => {
    const dialog = element.current;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      className={className ?? "dialog"}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClick={(event) => event.target === element.current && onClose?.()}
    >
      {open ? <div className="dialog-body">{children}</div> : null}
    </dialog>
  );
}

export function useNarrow(query = "(max-width: 899px)") {
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    const media = window.matchMedia(query);
    const tell = () => setNarrow(media.matches);
    tell();
    media.addEventListener("change", tell);
    return () => media.removeEventListener("change", tell);
  }, [query]);
  return narrow;
}

export function SidePanel({ open, label, onClose, children }) {
  const narrow = useNarrow();
  if (narrow)
    return (
      <Dialog open={open} label={label} className="sheet" onClose={onClose}>
        {children}
      </Dialog>
    );
  return open ? (
    <BesidePage label={label} onClose={onClose}>
      {children}
    </BesidePage>
  ) : null;
}

function BesidePage({ label, onClose, children }) {
  const element = useRef(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const before = document.activeElement;
    element.current?.focus();
    const escape = (event) => {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) close.current?.();
    };
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("keydown", escape);
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <aside className="panel" aria-label={label} tabIndex={-1} ref={element}>
      {children}
    </aside>
  );
}
