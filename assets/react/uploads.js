// The files being sent from this page: a small queue of requests, one a file, so that each stands alone.

const AT_ONCE = 3;
const listeners = new Set();
let items = [];
let counter = 0;

export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const snapshot = () => items;
const EMPTY = [];
export const serverSnapshot = () => EMPTY;

function change(id, values) {
  items = items.map((item) => (item.id === id ? { ...item, ...values } : item));
  for (const listener of listeners) listener();
}

function set(next) {
  items = next;
  for (const listener of listeners) listener();
}

export function addFiles(files, { fields, csrf, origin, onStored }) {
  const added = [...files].map((file) => ({
    id: ++counter,
    file,
    name: file.name,
    size: file.size,
    origin,
    fields,
    csrf,
    onStored,
    state: "waiting",
    progress: 0,
    error: null,
  }));
  set([...items, ...added]);
  pump();
}

export function cancelUpload(id) {
  const item = items.find((one) => one.id === id);
  item?.request?.abort();
  dismiss(id);
}

export function dismiss(id) {
  set(items.filter((one) => one.id !== id));
  pump();
}

export function retryUpload(id) {
  change(id, { state: "waiting", progress: 0, error: null });
  pump();
}

function pump() {
  const busy = items.filter((item) => item.state === "sending").length;
  for (const item of items.filter((one) => one.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy))) send(item);
}

function send(item) {
  const form = new FormData();
  for (const [name, value] of Object.entries(item.fields ?? {})) {
    if (value !== "" && value !== null && value !== undefined) form.append(name, value);
  }
  form.append("files", item.file, item.name);
  const request = new XMLHttpRequest();
  request.open("POST", "/v1/ingest/upload");
  request.setRequestHeader("X-CSRF-Token", item.csrf ?? "");
  request.setRequestHeader("Accept", "application/json");
  let shown = 0;
  request.upload.onprogress = (event) => {
    const progress = event.lengthComputable ? event.loaded / event.total : 0;
    if (progress === 1 || progress - shown > 0.02) {
      shown = progress;
      change(item.id, { progress });
    }
  };
  request.onload = () => finish(item, request);
  request.onerror = () => fail(item.id, { code: "CONNECTION_LOST", message: "", details: {} });
  change(item.id, { state: "sending", request });
  request.send(form);
}

function finish(item, request) {
  let body = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    body = null;
  }
  const stored = body?.items?.[0];
  if (request.status >= 200 && request.status < 300 && stored?.document_id) {
    set(items.filter((one) => one.id !== item.id));
    item.onStored?.(stored.document_id, stored.duplicate_of ?? "");
    pump();
    return;
  }
  fail(item.id, body?.error ?? stored?.error ?? { code: stored?.error_code ?? "ERROR", message: stored?.message ?? "", details: stored?.error_details ?? {} });
}

function fail(id, error) {
  change(id, { state: "failed", error, request: null });
  pump();
}

// The sentence for an error: the catalogue's by code, else the server's own.
export function sentence(error, errors) {
  if (!error) return "";
  const template = errors?.[error.code];
  if (!template) return error.message || errors?.ERROR || error.code;
  return template.replace(/\{(\w+)\}/g, (_, name) => String(error.details?.[name] ?? "?"));
}
