import { Playback, Publication } from "/console/whip.js";

const POLL_MS = 1000;
const MAX_SHOWN = 100;
const $ = (id) => document.getElementById(id);

let publication = null;
let playback = null;
let shownRoom = null;

// --- the admin API ---

class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function api(method, path, body) {
  const request = { method };
  if (body !== undefined) {
    request.headers = { "Content-Type": "application/json" };
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new ApiError(0, "The server does not answer.");
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.detail ?? response.statusText);
  return answer;
}

function roomPath() {
  const { app, room } = $("publish").elements;
  if (!app.value || !room.value || !room.validity.valid) return null;
  return `/api/rooms/${encodeURIComponent(app.value)}/${encodeURIComponent(room.value)}`;
}

// --- what goes wrong ---

function show(problem) {
  $("notice").textContent = problem;
  $("notice").hidden = !problem;
}

/** Run what a button does: once at a time, telling what goes wrong. */
async function act(button, action) {
  button.disabled = true;
  show("");
  try {
    await action();
  } catch (error) {
    if (error.status === 401) await enter();
    show(sentence(error));
  } finally {
    button.disabled = false;
  }
}

function sentence(error) {
  if (error.name === "NotAllowedError") return "The browser may not use the microphone: allow it and try again.";
  if (error.name === "NotFoundError") return "There is no microphone.";
  const text = error.message;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}

// --- publishing ---

async function publish() {
  const { room, user } = $("publish").elements;
  if (!navigator.mediaDevices) {
    throw new Error("Browsers give the microphone only to https pages and to localhost");
  }
  const path = roomPath();
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  publication = new Publication(microphone, showPublication);
  localStorage.setItem("room", room.value);
  localStorage.setItem("user", user.value);
  try {
    const { token, whip_path } = await api("POST", `${path}/tokens`, { user_id: user.value });
    await publication.start(whip_path, token);
  } catch (error) {
    publication?.stop();
    throw error;
  }
  drawLevel(performance.now());
}

function showPublication(state) {
  const live = state !== "ended";
  chip($("connection"), { connecting: "connecting", connected: "on air", ended: "" }[state], state === "connected");
  $("place").disabled = live;
  $("on-air").hidden = $("mute").hidden = $("stop-publishing").hidden = !live;
  $("start-publishing").hidden = live;
  if (!live) publication = null;
  showMuted();
}

function showMuted() {
  const muted = publication?.muted ?? false;
  $("mute").setAttribute("aria-pressed", muted);
  $("mute").textContent = muted ? "Unmute" : "Mute";
}

function drawLevel(startedAt) {
  if (!publication) return;
  $("level").value = publication.level;
  const seconds = Math.floor((performance.now() - startedAt) / 1000);
  $("elapsed").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  requestAnimationFrame(() => drawLevel(startedAt));
}

// --- listening ---

async function toggleListening() {
  if (playback) return playback.stop();
  const path = roomPath();
  if (!path) return $("publish").reportValidity();
  const { user } = $("publish").elements;
  const { token, whip_path } = await api("POST", `${path}/tokens`, { user_id: user.value });
  playback = new Playback(() => showListening(null));
  showListening(playback);
  await playback.start(whip_path.replace("/whip/", "/whep/"), token);
}

function showListening(current) {
  playback = current;
  $("listen").setAttribute("aria-pressed", current !== null);
  $("listen").textContent = current ? "Stop listening" : "Listen";
}

// --- slicing ---

async function startSlicing() {
  const { duration, align, mixed, ignore_silence } = $("slicing").elements;
  const path = roomPath();
  if (!path) return $("publish").reportValidity();
  await api("PUT", `${path}/slicing`, {
    duration_s: duration.valueAsNumber,
    align: align.checked,
    mixed: mixed.checked,
    ignore_silence: ignore_silence.checked,
  });
  await refresh();
}

async function stopSlicing() {
  await api("DELETE", `${roomPath()}/slicing`);
  await refresh();
}

// --- the room as it stands ---

async function refresh() {
  const path = roomPath();
  if (path !== shownRoom) {
    shownRoom = path;
    playback?.stop();
    $("slices").replaceChildren();
  }
  const [room, slices] = path
    ? await Promise.all([api("GET", path), api("GET", `${path}/slices?limit=${MAX_SHOWN}`)])
    : [{ streams: [], slicing: false, problems: [] }, { slices: [] }];
  if (path === shownRoom) showRoom(room, slices.slices);
}

function showRoom(room, slices) {
  const problems = room.problems.map(({ task_id, problem }) => `${task_id}: ${problem}`);
  const state = problems.length ? "storage refuses" : room.slicing ? "slicing" : "";
  chip($("slicing-state"), state, !problems.length);
  $("slicing-state").title = problems.join("\n");
  $("order").disabled = $("start-slicing").hidden = room.slicing;
  $("stop-slicing").hidden = !room.slicing;

  $("streams").replaceChildren(...room.streams.map((stream) => {
    const item = document.createElement("li");
    item.textContent = stream.user_id + (stream.stream_type === "screen" ? " · screen" : "");
    return item;
  }));
  chip($("stream-count"), room.streams.length || "");
  $("no-streams").hidden = room.streams.length > 0;

  showSlices(slices);
  chip($("slice-count"), slices.length || "");
  $("no-slices").hidden = slices.length > 0;
}

/** Put the slices in order, keeping what is there: a slice being played must not stop. */
function showSlices(slices) {
  const items = new Map([...$("slices").children].map((item) => [item.dataset.key, item]));
  let place = $("slices").firstElementChild;
  for (const slice of slices) {
    const key = `${slice.bucket}/${slice.object_key}`;
    let item = items.get(key);
    items.delete(key);
    if (!item) {
      item = newSlice(slice, key);
      $("slices").insertBefore(item, place);
    } else if (item === place) {
      place = place.nextElementSibling;
    } else {
      $("slices").insertBefore(item, place);
    }
    fillState(item, slice);
  }
  for (const item of items.values()) item.remove();
}

function newSlice(slice, key) {
  const item = $("slice").content.cloneNode(true).firstElementChild;
  const set = (selector, text) => { item.querySelector(selector).textContent = text; };
  item.dataset.key = key;
  set("strong", slice.user_id);
  chip(item.querySelector(".kind"), slice.stream_type === "screen" ? "screen" : slice.user_id === "mixed" ? "mix" : "");
  set(".index", `#${slice.index}`);
  const start = new Date(slice.start_ms);
  set("time", TIME.format(start));
  item.querySelector("time").dateTime = start.toISOString();
  item.querySelector("time").title = start.toISOString();
  set(".duration", `${(slice.duration_ms / 1000).toFixed(slice.duration_ms % 1000 ? 2 : 0)} s`);
  set(".size", size(slice.size_bytes));
  set(".key", slice.object_key);
  return item;
}

const TIME = new Intl.DateTimeFormat([], {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23",
});

const STATES = { spooled: "being stored", stored: "stored", announced: "delivered", given_up: "callback failed" };

function fillState(item, slice) {
  chip(item.querySelector(".state"), STATES[slice.state] ?? slice.state, slice.state === "announced");
  const sound = item.querySelector(".sound");
  sound.hidden = !slice.url;
  // A signed URL changes with each poll; the one at hand is good for as long as it plays.
  const audio = item.querySelector("audio");
  if (slice.url && !audio.hasAttribute("src")) audio.src = slice.url;
  if (slice.url) item.querySelector(".download").href = slice.url;
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function chip(element, text, good = false) {
  element.textContent = text;
  element.classList.toggle("good", good);
}

// --- life of the page ---

async function enter() {
  const session = await api("GET", "/api/session");
  $("sign-in").hidden = session.signed_in;
  $("console").hidden = !session.signed_in;
  $("sign-out").hidden = !(session.signed_in && session.needs_password);
  if (!session.signed_in) return;
  const { apps } = await api("GET", "/api/apps");
  const chosen = $("app").value;
  $("app").replaceChildren(...apps.map((app) =>
    new Option(`${app.app_id} · ${app.slice_format} ${app.sample_rate_hz / 1000} kHz`, app.app_id)));
  if (chosen) $("app").value = chosen;
  if (!apps.length) show("The configuration has no [[apps]]; add one and start again.");
  await refresh();
}

let unanswered = false;

async function poll() {
  if (!$("console").hidden && !document.hidden) {
    try {
      await refresh();
      if (unanswered) show("");
      unanswered = false;
    } catch (error) {
      if (error.status === 401) await enter().catch(() => {});
      else show(sentence(error));
      unanswered = true;
    }
  }
  setTimeout(poll, POLL_MS);
}

function bind() {
  const { room, user } = $("publish").elements;
  room.value = localStorage.getItem("room") ?? "lobby";
  user.value = localStorage.getItem("user") ?? `guest-${Math.random().toString(36).slice(2, 6)}`;

  $("publish").addEventListener("submit", (event) => {
    event.preventDefault();
    act($("start-publishing"), publish);
  });
  $("mute").addEventListener("click", () => {
    publication.muted = !publication.muted;
    showMuted();
  });
  $("stop-publishing").addEventListener("click", () => publication?.stop());
  $("slicing").addEventListener("submit", (event) => {
    event.preventDefault();
    act($("start-slicing"), startSlicing);
  });
  $("stop-slicing").addEventListener("click", () => act($("stop-slicing"), stopSlicing));
  $("listen").addEventListener("click", () => act($("listen"), toggleListening));
  $("sign-in").querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const { password } = event.target.elements;
    act(event.submitter, async () => {
      await api("POST", "/api/session", { password: password.value });
      event.target.reset();
      await enter();
    });
  });
  $("sign-out").addEventListener("click", () => act($("sign-out"), async () => {
    publication?.stop();
    playback?.stop();
    await api("DELETE", "/api/session");
    await enter();
  }));
  addEventListener("pagehide", () => {
    publication?.stop();
    playback?.stop();
  });
}

bind();
showPublication("ended");
enter().catch((error) => show(sentence(error))).finally(poll);
