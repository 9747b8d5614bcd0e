// A button that opens a list of actions or choices. Arrow keys walk, Escape and a click elsewhere close, focus returns.

import { useEffect, useId, useRef, useState } from "react";

export function Menu({ label, triggerClass, items, onChoose, align = "start", side = "bottom", children }) {
  const [open, setOpen] = useState(false);
  const root = useRef(null);
  const button = useRef(null);
  const list = useRef(null);
  const id = useId();

  useEffect(() => {
    if (!open) return;
    // In the top layer, so that no scrolling list around the button cuts it off.
    list.current.showPopover?.();
    place(list.current, button.current, align, side);
    const entries = list.current.querySelectorAll("[role^=menuitem]");
    (list.current.querySelector("[aria-checked=true]") ?? entries[0])?.focus();
    const outside = (event) => !root.current.contains(event.target) && setOpen(false);
    const moved = (event) => !list.current?.contains(event.target) && setOpen(false);
    document.addEventListener("pointerdown", outside);
    document.addEventListener("scroll", moved, true);
    window.addEventListener("resize", moved);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("scroll", moved, true);
      window.removeEventListener("resize", moved);
    };
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const keys = (event) => {
    const entries = [...list.current.querySelectorAll("[role^=menuitem]")];
    const at = entries.indexOf(document.activeElement);
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 };
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") setOpen(false);
    else if (event.key in steps) {
      event.preventDefault();
      entries[(steps[event.key] + entries.length) % entries.length]?.focus();
    }
  };
  const choose = (item) => {
    close();
    onChoose?.(item.value);
  };

  return (
    <div className="menu" ref={root} data-open={open || undefined}>
      <button
        type="button"
        ref={button}
        className={triggerClass}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        aria-label={label || undefined}
        title={label || undefined}
        onClick={() => setOpen(!open)}
      >
        {children}
      </button>
      {open ? (
        <div className="menu-list" popover="manual" role="menu" id={id} ref={list} onKeyDown={keys} aria-label={label}>
          {(items ?? []).map((item, index) =>
            item.heading ? (
              <div className="menu-heading" role="presentation" key={index}>
                {item.heading}
              </div>
            ) : item.line ? (
              <div className="menu-line" role="separator" key={index} />
            ) : (
              <button
                type="button"
                key={item.value}
                className="menu-item"
                data-danger={item.danger || undefined}
                role={item.checked === undefined ? "menuitem" : "menuitemradio"}
                aria-checked={item.checked}
                tabIndex={-1}
                onClick={() => choose(item)}
              >
                <span className="menu-text">{item.text}</span>
                {item.checked ? <Tick /> : null}
              </button>
            ),
          )}
        </div>
      ) : null}
    </div>
  );
}

function place(list, button, align, side) {
  const at = button.getBoundingClientRect();
  const gap = 6;
  const { offsetWidth: width, offsetHeight: height } = list;
  const below = at.bottom + gap + height <= window.innerHeight - gap;
  const above = at.top - gap - height >= gap;
  const up = side === "top" ? above || !below : !below && above;
  const left = { start: at.left, end: at.right - width, center: (at.left + at.right - width) / 2 }[align];
  list.style.left = `${Math.max(8, Math.min(left, window.innerWidth - width - 8))}px`;
  list.style.top = `${Math.max(8, up ? at.top - gap - height : Math.min(at.bottom + gap, window.innerHeight - height - 8))}px`;
}

function Tick() {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d="m3 8.5 3.2 3L13 4.5" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" />
    </svg>
  );
}
