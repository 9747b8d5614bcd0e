// The address of a conversation that began on this page. The page holds all of it already, so it is not loaded again.

import { useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router";

// What Reflex's router calls a move that loads nothing.
const HELD = { fromNotFound: true };

// Moves from `/` to the conversation's own address once the conversation changes from none to one. A page that is opened
// with a conversation, or changes to another one, has an address of its own.
export function useOwnAddress(conversation) {
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const before = useRef(conversation);
  useEffect(() => {
    const began = !before.current && conversation && pathname === "/";
    before.current = conversation;
    if (began) move(navigate, `/c/${conversation}`);
  }, [conversation]);
}

async function move(navigate, address) {
  await navigate(address, { replace: true, state: HELD });
  // Who comes back to this entry later, by "back" or "forward", does have it loaded.
  if (window.location.pathname === address) window.history.replaceState({ ...window.history.state, usr: null }, "");
}
