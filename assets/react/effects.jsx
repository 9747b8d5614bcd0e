// What belongs to the whole page: its language, its colours as the person prefers them, the line that says that the
// connection is lost, messages that go away by themselves, the native sign-in form.

import { useContext, useEffect, useRef, useState } from "react";
import { ColorModeContext, EventLoopContext } from "$/utils/context-registry";

export function PageEffects({ language, theme, title, away }) {
  const { rawColorMode, setColorMode } = useContext(ColorModeContext);
  useEffect(() => {
    if (language) document.documentElement.lang = language;
  }, [language]);
  useEffect(() => {
    if (theme && theme !== rawColorMode) setColorMode(theme);
  }, [theme]);
  useEffect(() => {
    if (title) document.title = `${title} · YouWorker`;
  }, [title]);
  return <ConnectionLine text={away} />;
}

function ConnectionLine({ text }) {
  const [, errors] = useContext(EventLoopContext) ?? [];
  const lost = (errors ?? []).length > 1;
  return (
    <div className="connection" role="status" data-lost={lost || undefined}>
      {lost ? text : ""}
    </div>
  );
}

export function Toast({ text, kind, closeLabel, seconds = 7, onClose }) {
  const close = useRef(onClose);
  close.current = onClose;
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held || !seconds) return;
    const timer = setTimeout(() => close.current?.(), seconds * 1000);
    return () => clearTimeout(timer);
  }, [held]);
  return (
    <div
      className="toast"
      data-kind={kind}
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <p>{text}</p>
      <button type="button" className="icon-button small" aria-label={closeLabel} onClick={() => onClose?.()}>
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path d="m4 4 8 8m0-8-8 8" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
        </svg>
      </button>
    </div>
  );
}

// A form that the browser posts by itself (the answer sets the HttpOnly cookie). With `tokenUrl` the hidden field is
// fetched: that answer sets the cookie that it is compared with. Who is faster than the token is sent on when it comes.
export function NativeForm({ action, tokenUrl, csrf, className, children }) {
  const [token, setToken] = useState(csrf ?? "");
  const [sent, setSent] = useState(false);
  const [waits, setWaits] = useState(false);
  const form = useRef(null);
  useEffect(() => {
    if (!tokenUrl) return;
    let live = true;
    const load = () =>
      fetch(tokenUrl, { credentials: "same-origin", cache: "no-store" })
        .then((response) => (response.ok ? response.json() : Promise.reject(new Error("no token"))))
        .then((body) => live && setToken(body.csrf))
        .catch(() => live && setTimeout(load, 1500));
    load();
    const again = (event) => event.persisted && (setSent(false), load());
    window.addEventListener("pageshow", again);
    return () => {
      live = false;
      window.removeEventListener("pageshow", again);
    };
  }, [tokenUrl]);
  const value = tokenUrl ? token : csrf;
  useEffect(() => {
    if (!value || !waits) return;
    setWaits(false);
    form.current?.requestSubmit();
  }, [value, waits]);
  return (
    <form
      ref={form}
      method="post"
      action={action}
      className={className}
      data-ready={value ? "yes" : "no"}
      data-sent={sent || waits || undefined}
      onSubmit={(event) => {
        if (value && !sent) return setSent(true);
        event.preventDefault();
        if (!sent) setWaits(true);
      }}
    >
      <input type="hidden" name="csrf" value={value ?? ""} readOnly />
      {children}
    </form>
  );
}

// "3 minutes ago" and the like belong to the reader's clock and language.
export function When({ at, language }) {
  const [text, setText] = useState("");
  useEffect(() => {
    if (!at) return;
    const moment = new Date(at);
    const today = new Date().toDateString() === moment.toDateString();
    const thisYear = new Date().getFullYear() === moment.getFullYear();
    const form = today
      ? { hour: "numeric", minute: "2-digit" }
      : { day: "numeric", month: "short", ...(thisYear ? {} : { year: "numeric" }) };
    setText(new Intl.DateTimeFormat(language || undefined, form).format(moment));
  }, [at, language]);
  return (
    <time dateTime={at} title={at ? new Date(at).toLocaleString(language || undefined) : ""} suppressHydrationWarning>
      {text}
    </time>
  );
}
