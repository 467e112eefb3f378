import { type Answer } from '../emulator/exchange.js';

/** The bank's page of a 3-D Secure challenge (mercadopago.md §2.5): in a frame, the buyer passes or fails, and the shop's page hears that it is complete. */
export function challengePage(id: number): Answer {
  return page('Your bank', `<p>Payment ${id}: is it you?</p>
<form method="post" action="/challenge/${id}/end"><button name="outcome" value="pass">Yes, it is me</button> <button name="outcome" value="fail">No</button></form>`);
}

export function challengeOver(): Answer {
  return page('Your bank', '<p>Done. You can go back to the shop.</p><script>window.parent.postMessage({ status: "COMPLETE" }, "*");</script>');
}

function page(title: string, content: string): Answer {
  return { status: 200, contentType: 'text/html; charset=utf-8', text: `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><body>${content}</body></html>` };
}
