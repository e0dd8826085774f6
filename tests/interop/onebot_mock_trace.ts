// Loaded by Deno before the mock server of the crate onebot-api (`deno run --preload`), which prints nothing of its own about
// what it hears: wraps both ways that a program gets a WebSocket from Deno, and prints what passes, one JSON object a line.
//
// {"socket": "open"} · {"received": "<frame>"} · {"sent": "<frame>"} · {"socket": "closed", "code": 1006}

function tell(what: Record<string, unknown>): void {
  console.log(JSON.stringify(what));
}

function watch(socket: WebSocket): void {
  socket.addEventListener("open", () => tell({ socket: "open" }));
  socket.addEventListener("message", (event) => tell({ received: String(event.data) }));
  socket.addEventListener("close", (event) => tell({ socket: "closed", code: event.code }));
  const send = socket.send.bind(socket);
  socket.send = (data) => {
    send(data);
    tell({ sent: String(data) });
  };
}

const upgrade = Deno.upgradeWebSocket;
Deno.upgradeWebSocket = (request, options) => {
  const upgraded = upgrade(request, options);
  watch(upgraded.socket);
  return upgraded;
};

const Plain = globalThis.WebSocket;
globalThis.WebSocket = class extends Plain {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    watch(this);
  }
};
