// Reads the camera: upright frames in JPEG, cut as the page shows them. It sends nothing.

const ASPECT = 3 / 4;
export const FRAMES = 5;
const BETWEEN_FRAMES_MS = 120;
const canvas = document.createElement("canvas");

/** Show the camera in `video`. Throws NotFoundError or NotAllowedError. */
export async function open(video) {
  const wanted = { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: { ideal: "environment" } };
  video.srcObject = await navigator.mediaDevices.getUserMedia({ audio: false, video: wanted });
  await video.play();
}

/** The message id for an error of `open`. */
export const problemOf = (error) => (error.name === "NotAllowedError" ? "capture.camera_denied" : "capture.no_camera");

/** One frame as a JPEG Blob, at most `highest` px high. */
export function frame(video, highest, quality) {
  drawn(video, highest);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}

/** Several frames at full height, one shortly after the other, as Uint8Arrays. */
export async function frames(video) {
  const taken = [];
  for (let count = 0; count < FRAMES; count += 1) {
    if (count) await new Promise((resolve) => setTimeout(resolve, BETWEEN_FRAMES_MS));
    const blob = await frame(video, Infinity, 0.92);
    taken.push(new Uint8Array(await blob.arrayBuffer()));
  }
  return taken;
}

/** Mean brightness of what the camera sees, 0 to 255: a coarse measure, for when the service is out of reach. */
export function brightness(video) {
  const { context, width, height } = drawn(video, 64);
  const { data } = context.getImageData(0, 0, width, height);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += 0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2];
  return (4 * sum) / data.length;
}

function drawn(video, highest) {
  const cutWidth = Math.min(video.videoWidth, video.videoHeight * ASPECT);
  const cutHeight = cutWidth / ASPECT;
  const height = Math.round(Math.min(cutHeight, highest));
  const width = Math.round(height * ASPECT);
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const left = (video.videoWidth - cutWidth) / 2;
  const top = (video.videoHeight - cutHeight) / 2;
  context.drawImage(video, left, top, cutWidth, cutHeight, 0, 0, width, height);
  return { context, width, height };
}
