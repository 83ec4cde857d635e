// Texts of the model, as they come. What it says is text and nothing else: it is
// never put into a page as HTML.

// ask asks for a text about a ticket. heard.plan gets what the model is given,
// heard.text each piece. It resolves with what is to be said at the end, and
// fails with a sentence for the reader. Ending the signal ends the model's work.
export async function ask(ticket, fields, heard, signal) {
  const answer = await fetch(`/tickets/${ticket}/write`, { method: "POST", body: new URLSearchParams(fields), signal });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Refused((await answer.json().catch(() => ({}))).text);
  for await (const { name, data } of events(answer.body)) {
    if (name === "plan") heard.plan?.(data);
    if (name === "text") heard.text(data.text);
    if (name === "done") return data;
    if (name === "failed") throw new Refused(data.text);
  }
  throw new Refused();
}

// Refused says why there is no text; without words the connection was lost.
export class Refused extends Error {}

// events reads server-sent events (HTML Standard, section 9.2).
async function* events(body) {
  let rest = "";
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const field = (name) => block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data");
      if (data) yield { name: field("event"), data: JSON.parse(data) };
    }
  }
}

// problem asks whether the model can write now: why not, or "".
export async function problem(ticket) {
  const answer = await fetch(`/tickets/${ticket}/write`, { headers: { Accept: "application/json" } }).catch(() => null);
  return answer?.ok ? (await answer.json()).problem : "";
}
