// Something that is shown once: it can be selected whole, and copied.

import { useState } from "react";
import { copyText } from "./clipboard.js";

export function Secret({ value, labels }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(await copyText(value));
    setTimeout(() => setCopied(false), 2500);
  };
  return (
    <div className="secret">
      <code className="secret-text">{value}</code>
      <button type="button" className="button primary" onClick={copy}>
        {copied ? labels?.copied : labels?.copy}
      </button>
      <span className="unseen" role="status">
        {copied ? labels?.copied : ""}
      </span>
    </div>
  );
}
