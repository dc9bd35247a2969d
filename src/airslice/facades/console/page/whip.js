// Publish a microphone over WHIP (RFC 9725); listen to a room over WHEP.

/** Offer; returns the session's address and the answer. Throws an Error fit to be shown. */
async function offer(peer, path, token) {
  // No candidates of ours are needed: the server learns the address from the first packet.
  await peer.setLocalDescription();
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` },
    body: peer.localDescription.sdp,
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`The server refused (${response.status}): ${answer}`);
  return { resource: new URL(response.headers.get("Location"), response.url), answer };
}

/** End a session on the server; it would notice by itself, but later. */
async function release(resource, token) {
  if (!resource) return;
  const headers = { Authorization: `Bearer ${token}` };
  await fetch(resource, { method: "DELETE", headers, keepalive: true }).catch(() => {});
}

/** One microphone on its way into a room. */
export class Publication {
  /**
   * @param {MediaStream} microphone
   * @param {(state: string) => void} onState told "connecting", "connected" or "ended"
   */
  constructor(microphone, onState) {
    this.microphone = microphone;
    this.onState = onState;
    this.peer = new RTCPeerConnection();
    this.resource = null;
    this.ended = false;
    this.meter = new Meter(microphone);
  }

  /** Connect; throws an Error fit to be shown. */
  async start(path, token) {
    this.token = token;
    this.onState("connecting");
    for (const track of this.microphone.getAudioTracks()) {
      this.peer.addTransceiver(track, { direction: "sendonly", streams: [this.microphone] });
      track.addEventListener("ended", () => this.stop());
    }
    this.peer.addEventListener("connectionstatechange", () => {
      if (this.peer.connectionState === "connected") this.onState("connected");
      // "disconnected" may recover by itself; "failed" does not.
      if (this.peer.connectionState === "failed") this.stop();
    });
    try {
      const { resource, answer } = await offer(this.peer, path, token);
      this.resource = resource;
      if (this.ended) return await release(resource, token);
      await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  get muted() {
    return this.microphone.getAudioTracks().every((track) => !track.enabled);
  }

  set muted(muted) {
    for (const track of this.microphone.getAudioTracks()) track.enabled = !muted;
  }

  /** Level of the last moments, 0 to 100. */
  get level() {
    return this.muted ? 0 : this.meter.level;
  }

  stop() {
    if (this.ended) return;
    this.ended = true;
    this.meter.close();
    for (const track of this.microphone.getTracks()) track.stop();
    // In this order: closing the connection ends the session too, and then there is none to delete.
    release(this.resource, this.token).finally(() => this.peer.close());
    this.onState("ended");
  }
}

/** A room that is being listened to. */
export class Playback {
  /** @param {() => void} onEnded told once */
  constructor(onEnded) {
    this.onEnded = onEnded;
    this.peer = new RTCPeerConnection();
    this.player = new Audio();
    this.resource = null;
    this.ended = false;
  }

  /** Connect and play; throws an Error fit to be shown. */
  async start(path, token) {
    this.token = token;
    const { receiver } = this.peer.addTransceiver("audio", { direction: "recvonly" });
    this.player.srcObject = new MediaStream([receiver.track]);
    this.peer.addEventListener("connectionstatechange", () => {
      if (this.peer.connectionState === "failed") this.stop();
    });
    try {
      const { resource, answer } = await offer(this.peer, path, token);
      this.resource = resource;
      if (this.ended) return await release(resource, token);
      await this.peer.setRemoteDescription({ type: "answer", sdp: answer });
      await this.player.play();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop() {
    if (this.ended) return;
    this.ended = true;
    this.player.pause();
    release(this.resource, this.token).finally(() => this.peer.close());
    this.onEnded();
  }
}

class Meter {
  constructor(stream) {
    this.context = new AudioContext();
    this.analyser = new AnalyserNode(this.context, { fftSize: 1024 });
    this.samples = new Float32Array(this.analyser.fftSize);
    this.context.createMediaStreamSource(stream).connect(this.analyser);
  }

  get level() {
    this.analyser.getFloatTimeDomainData(this.samples);
    const power = this.samples.reduce((sum, sample) => sum + sample * sample, 0);
    const decibels = 10 * Math.log10(power / this.samples.length + 1e-9);
    return Math.max(0, Math.min(100, 100 + decibels * (100 / 60))); // -60 dBFS is 0
  }

  close() {
    this.context.close();
  }
}
