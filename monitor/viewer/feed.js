/** @file The connection to the monitor: greets, listens, comes back by itself and asks only for what it missed. */

const FIRST_RETRY = 500;
const LAST_RETRY = 10_000;

/** @param {{hello(m), metric(m), state(m), live(), connection(state, seconds?)}} listener */
export function connect(listener) {
  let socket;
  let session = '';
  let newest = -1;
  let retry = FIRST_RETRY;
  let timer;
  let commandCount = 0;
  const replies = new Map();

  const receive = (message) => {
    if (message.type === 'hello') {
      if (message.version !== 1) return listener.connection('incompatible');
      if (message.session !== session) newest = -1;
      listener.hello(message, message.session !== session);
      session = message.session;
    } else if (message.type === 'metric') {
      if (message.sequence <= newest) return; // seen before the connection broke
      newest = message.sequence;
      listener.metric(message);
    } else if (message.type === 'reply') {
      replies.get(message.id)?.(message);
      replies.delete(message.id);
    } else if (message.type === 'state' || message.type === 'live') {
      listener[message.type](message);
    }
  };

  const open = () => {
    clearTimeout(timer);
    timer = undefined;
    listener.connection('connecting');
    const url = new URL('metrics', location.href);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('session', session);
    url.searchParams.set('after', String(newest));
    socket = new WebSocket(url);
    socket.onopen = () => {
      retry = FIRST_RETRY;
      listener.connection('live');
    };
    socket.onmessage = ({ data }) => receive(JSON.parse(data));
    socket.onclose = () => {
      for (const answer of replies.values()) answer({ ok: false, error: 'the connection was lost' });
      replies.clear();
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
