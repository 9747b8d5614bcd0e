// Reads one run's server-sent events and keeps what came so far, outside of any component: several views of the same run
// share one connection, and a view that is mounted again shows at once what is known.
//
// A lost connection is taken up again with Last-Event-ID. Events are numbered, and a number seen once is never applied
// twice, so no word is lost or doubled.

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5000;
// The server sends a comment from time to time; a connection that is silent for longer is dead (a phone that slept).
const SILENCE_MS = 45000;
const KEEP_FINISHED_MS = 30000;
// Words are shown in frames: one rendering each so many milliseconds at most. The first ones are shown at once.
const FRAME_MS = 64;

const runs = new Map();

export function runStream(runId) {
  let run = runs.get(runId);
  if (!run) {
    run = new RunStream(runId);
    runs.set(runId, run);
  }
  return run;
}

class RunStream {
  constructor(runId) {
    this.runId = runId;
    this.listeners = new Set();
    this.state = { text: "", thinking: "", stage: "", citations: null, over: false, away: false };
    this.lastId = 0;
    this.retryMs = FIRST_RETRY_MS;
    this.started = false;
    this.frameMs = FRAME_MS;
    this.frame = 0;
    this.text = "";
    this.subscribe = this.subscribe.bind(this);
    this.snapshot = () => this.state;
    this.wake = () => this.retryNow && this.retryNow();
  }

  subscribe(listener) {
    this.listeners.add(listener);
    if (!this.started) this.start();
    return () => {
      this.listeners.delete(listener);
      setTimeout(() => this.listeners.size === 0 && this.forget(), this.state.over ? KEEP_FINISHED_MS : 2000);
    };
  }

  forget() {
    if (runs.get(this.runId) === this) runs.delete(this.runId);
    this.end();
  }

  set(change) {
    clearTimeout(this.frame);
    this.frame = 0;
    this.state = { ...this.state, text: this.text, ...change };
    for (const listener of this.listeners) listener();
  }

  // A view that needs long for one rendering gets fewer of them, so that the page stays quick.
  cost(milliseconds) {
    this.frameMs = Math.max(FRAME_MS, Math.min(1000, milliseconds * 6));
  }

  write(text) {
    const first = !this.text;
    this.text += text;
    if (first) this.set({ stage: "writing" });
    else this.frame ||= setTimeout(() => this.set({ stage: "writing" }), this.frameMs);
  }

  async start() {
    this.started = true;
    window.addEventListener("online", this.wake);
    while (!this.state.over && this.started) {
      const answer = await this.read();
      if (this.state.over || !this.started) break;
      if (answer === "gone") this.set({ over: true });
      else await this.pause();
    }
    this.end();
  }

  end() {
    this.started = false;
    clearTimeout(this.frame);
    window.removeEventListener("online", this.wake);
    this.abort?.abort();
  }

  pause() {
    if (this.retryMs > FIRST_RETRY_MS * 2) this.set({ away: true });
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.retryMs);
      this.retryNow = () => (clearTimeout(timer), resolve());
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    });
  }

  // "gone" when asking again is useless: signed out, unknown run.
  async read() {
    this.abort = new AbortController();
    let silence;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => this.abort.abort(), SILENCE_MS);
    };
    try {
      heard();
      const response = await fetch(`/v1/chat/runs/${encodeURIComponent(this.runId)}/events`, {
        headers: { Accept: "text/event-stream", ...(this.lastId ? { "Last-Event-ID": String(this.lastId) } : {}) },
        credentials: "same-origin",
        cache: "no-store",
        signal: this.abort.signal,
      });
      if (response.status >= 400 && response.status < 500 && response.status !== 429) return "gone";
      if (response.status === 204) return "gone"; // nothing follows what was read already
      if (!response.ok || !response.body) return "lost";
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      const feed = eventParser((event) => this.apply(event));
      for (;;) {
        const { value, done } = await reader.read();
        if (done || this.state.over) return "ended";
        heard();
        feed(value);
        if (this.state.over) return "ended";
      }
    } catch {
      return "lost";
    } finally {
      clearTimeout(silence);
      this.abort.abort();
    }
  }

  apply({ id, name, data }) {
    const number = Number(id);
    // A stream that the server rebuilt from what it kept has its own numbers and begins with this: what came before
    // is forgotten, all of it comes again.
    if (name === "reset") {
      this.text = "";
      this.lastId = number;
      this.set({ thinking: "", citations: null });
      return;
    }
    if (id) {
      if (number <= this.lastId) return;
      this.lastId = number;
    }
    this.retryMs = FIRST_RETRY_MS;
    const back = this.state.away ? { away: false } : {};
    if (name === "token") {
      if (this.state.away) this.set(back);
      this.write(data.text);
    }
    else if (name === "thinking") this.set({ thinking: this.state.thinking + data.text, stage: "thinking", ...back });
    else if (name === "status") this.set({ stage: data.stage, ...back });
    else if (name === "citations") this.set({ citations: Array.isArray(data) ? data : data.citations, ...back });
    else if (name === "done" || name === "error") this.set({ over: true, ...back });
  }
}

// Server-sent events as the standard reads them, for what our server writes: id, event, data, comments.
export function eventParser(emit) {
  let buffer = "";
  let current = { id: "", name: "", data: [] };
  const line = (text) => {
    if (text === "") {
      if (current.data.length) {
        let data = null;
        try {
          data = JSON.parse(current.data.join("\n"));
        } catch {
          data = null;
        }
        if (data !== null) emit({ id: current.id, name: current.name, data });
      }
      current = { id: "", name: "", data: [] };
      return;
    }
    if (text.startsWith(":")) return;
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "id") current.id = value;
    else if (field === "event") current.name = value;
    else if (field === "data") current.data.push(value);
  };
  return (chunk) => {
    buffer += chunk;
    let start = 0;
    for (;;) {
      const end = buffer.indexOf("\n", start);
      if (end < 0) break;
      line(buffer.slice(start, end).replace(/\r$/, ""));
      start = end + 1;
    }
    buffer = buffer.slice(start);
  };
}
