// The sign-in that waits behind a field: one at a time, fresh, and out of everybody's way.

import assert from "node:assert/strict";
import test, { beforeEach, mock } from "node:test";

import { open, settle } from "./page.mjs";

const kinds = (page) => page.asked.map(({ kind }) => kind);

async function pass(milliseconds) {
  mock.timers.tick(milliseconds);
  await settle();
}

async function opened(options) {
  const page = await open(options);
  await pass(2_000);
  return page;
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});

test("it begins a moment after the page was opened, with 64 bytes", async () => {
  const page = await open();
  assert.equal(page.field.classList.has("invisible"), false);
  await pass(1_999);
  assert.equal(page.begun, 0);

  await pass(1);

  assert.equal(page.begun, 1);
  assert.deepEqual(kinds(page), ["conditional"]);
  assert.equal(page.asked[0].length, 64);
});

test("it begins at once when the field is used", async () => {
  const page = await open();

  page.input.emit("focus");
  await settle();

  assert.deepEqual(kinds(page), ["conditional"]);
});

test("a browser that does not offer it sees no field and is not asked", async () => {
  const page = await open({ isOffered: false });
  await pass(60_000);

  assert.equal(page.field.classList.has("invisible"), true);
  assert.equal(page.begun, 0);
});

test("its answer goes through the sign-in form", async () => {
  const page = await opened();

  page.asked[0].answer();
  await settle();

  assert.equal(page.form.submitted.length, 1);
  assert.equal(page.form.submitted[0].type, "public-key");
});

test("it is ended before a form asks, and only then the form does", async () => {
  const page = await opened();

  page.form.requestSubmit();
  await settle();

  assert.deepEqual(kinds(page), ["conditional", "modal"]);
  assert.equal(page.asked[0].signal.aborted, true);
  assert.equal(page.collisions, 0);
  page.asked[1].answer();
  await settle();
  assert.equal(page.form.submitted.length, 1);
  assert.equal(page.form.words.hidden, true);
});

test("using the field while it waits changes nothing", async () => {
  const page = await opened();
  page.input.emit("focus");
  page.input.emit("focus");
  await settle();
  assert.equal(page.begun, 1);

  page.form.requestSubmit();
  await settle();

  assert.deepEqual(kinds(page), ["conditional", "modal"]);
});

test("it stays away while a form asks", async () => {
  const page = await opened();
  page.form.requestSubmit();
  await settle();

  page.input.emit("focus");
  page.hide(true);
  page.hide(false);
  await pass(600_000);

  assert.deepEqual(kinds(page), ["conditional", "modal"]);
  assert.equal(page.collisions, 0);
  assert.equal(page.begun, 2);
});

test("it begins again after a form was refused, and only the form says so", async () => {
  const page = await opened();
  page.form.requestSubmit();
  await settle();

  page.asked[1].refuse("NotAllowedError");
  await settle();

  assert.deepEqual(kinds(page), ["conditional", "modal", "conditional"]);
  assert.match(page.form.words.textContent, /cancelled or took too long/);
});

test("it is renewed 30 seconds before its challenge expires", async () => {
  const page = await opened({ timeout: 300_000 });

  await pass(269_999);
  assert.equal(page.asked.length, 1);
  await pass(1);

  assert.equal(page.asked[0].signal.aborted, true);
  assert.deepEqual(kinds(page), ["conditional", "conditional"]);
  assert.equal(page.asked[1].signal.aborted, false);
  assert.equal(page.collisions, 0);
  page.hide(true);
  await settle();
  assert.equal(page.asked[1].signal.aborted, true);
});

test("a short life is renewed after half of it", async () => {
  const page = await opened({ timeout: 40_000 });

  assert.equal(page.asked.length, 1);
  await pass(19_999);
  assert.equal(page.asked.length, 1);
  await pass(1);

  assert.equal(page.asked.length, 2);
});

test("after a sleep in which no timer ran the field renews it", async () => {
  const page = await opened();
  mock.timers.setTime(Date.now() + 269_999);
  await settle();
  const before = page.asked.length;

  mock.timers.setTime(Date.now() + 2);
  page.input.emit("focus");
  await settle();

  assert.ok(page.asked.length > before);
  assert.equal(page.collisions, 0);
});

test("it stops while nobody looks and begins again when somebody does", async () => {
  const page = await opened();

  page.hide(true);
  assert.equal(page.asked[0].signal.aborted, true);
  await pass(600_000);
  assert.equal(page.asked.length, 1);
  page.hide(false);
  await settle();

  assert.equal(page.asked.length, 2);
});

test("it never runs twice, whatever happens at once", async () => {
  const page = await opened();

  for (let turn = 0; turn < 20; turn += 1) {
    page.hide(turn % 2 === 0);
    page.input.emit("focus");
    if (turn % 3 === 0) await settle();
    page.document.emit("visibilitychange");
  }
  await settle();

  assert.equal(page.collisions, 0);
  assert.equal(page.running, 1);
});

test("a form waits for a begin that is under way, or two sessions would be opened", async () => {
  const page = await open();
  const reply = page.respond;
  let arrive;
  page.respond = () => new Promise((resolve) => (arrive = () => resolve(reply())));
  page.input.emit("focus");
  await settle();
  page.respond = reply;

  page.form.requestSubmit();
  await settle();
  assert.equal(page.begun, 1);
  arrive();
  await settle();

  assert.equal(page.begun, 2);
  assert.deepEqual(kinds(page), ["modal"]);
});

test("a request that never ends does not hold a form up for long", async () => {
  const page = await open();
  page.respond = () => new Promise(() => {});
  page.input.emit("focus");
  await settle();
  page.respond = async () => ({ ok: false, status: 429, json: async () => null });

  page.form.requestSubmit();
  await settle();
  assert.equal(page.form.words.textContent, "");
  await pass(2_000);

  assert.match(page.form.words.textContent, /Too many attempts/);
});

test("what goes wrong with it is not spoken of", async () => {
  const page = await open();
  page.respond = async () => ({ ok: false, status: 500, json: async () => null });
  await pass(2_000);
  assert.equal(page.begun, 1);

  await pass(600_000);

  assert.equal(page.begun, 1); // nor tried again and again
  assert.equal(page.form.words.textContent, "");
  page.input.emit("focus");
  await settle();
  assert.equal(page.begun, 2);
});
