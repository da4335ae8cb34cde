/** @file The connection to the monitor: greets, listens, comes back by itself and asks only for what it missed. */

const FIRST_RETRY = 500;
const LAST_RETRY = 10_000;
const VERSION = 1;
/** Codes of those who would be sent away again: docs/protocol.md has them all. */
const FOR_GOOD = [4400, 4426];

/**
 * Opens the connection and keeps it open.
 * @param {{hello(m, fresh), metric(m), state(m), live(m), connection(state, secondsOrReason?)}} listener
 */
export function connect(listener) {
  const seen = { session: '', newest: -1 };
  const replies = new Map();
  let socket;
  let retry = FIRST_RETRY;
  let timer;
  let commandCount = 0;

  const open = () => {
    clearTimeout(timer);
    timer = undefined;
    listener.connection('connecting');
    socket = new WebSocket(address(seen));
    socket.onopen = () => {
      retry = FIRST_RETRY;
      listener.connection('live');
    };
    socket.onmessage = ({ data }) => receive(JSON.parse(data), seen, replies, listener);
    socket.onclose = ({ code, reason }) => {
      for (const answer of replies.values())
        answer({ ok: false, error: reason || 'the connection was lost' });
      replies.clear();
      if (FOR_GOOD.includes(code)) {
        listener.connection('incompatible', reason);
        return;
      }
      listener.connection('lost', retry / 1000);
      timer = setTimeout(open, retry);
      retry = Math.min(LAST_RETRY, retry * 1.7);
    };
  };

  const hurry = () => {
    if (timer !== undefined && !document.hidden) open();
  };
  addEventListener('online', hurry);
  document.addEventListener('visibilitychange', hurry);
  open();

  return {
    /** Sends a command; resolves with `{ok}` or `{ok: false, error}`. */
    command(command) {
      if (socket.readyState !== WebSocket.OPEN) return Promise.resolve({ ok: false, error: 'not connected' });
      const id = String(++commandCount);
      return new Promise((resolve) => {
        replies.set(id, resolve);
        socket.send(JSON.stringify({ type: 'command', id, command }));
      });
    },
  };
}

/** Where the metrics are, and which of them are here already. */
function address({ session, newest }) {
  const url = new URL('metrics', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('version', String(VERSION));
  url.searchParams.set('session', session);
  url.searchParams.set('after', String(newest));
  return url;
}

function receive(message, seen, replies, listener) {
  if (message.type === 'hello') {
    if (message.version !== VERSION)
      return listener.connection('incompatible', `the monitor speaks version ${message.version}`);
    const fresh = message.session !== seen.session;
    if (fresh) Object.assign(seen, { session: message.session, newest: -1 });
    listener.hello(message, fresh);
  } else if (message.type === 'metric') {
    if (message.sequence <= seen.newest) return; // seen before the connection broke
    seen.newest = message.sequence;
    listener.metric(message);
  } else if (message.type === 'reply') {
    replies.get(message.id)?.(message);
    replies.delete(message.id);
  } else if (message.type === 'state' || message.type === 'live') {
    listener[message.type](message);
  }
}
