/** Photos of articles: a file becomes {name, url, b64}, small enough to be sent at every move of a joint. */

const MAX_SIDE = 1024;
const MAX_BYTES = 400000;
const SENT_AS_THEY_ARE = ["image/png", "image/jpeg", "image/webp"];

/** Reads a photo; a large one, or one of a kind that models do not read, is drawn again on white as a JPEG. */
export async function articleOf(file, name) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error(`${name || "This file"} is not a picture that this browser can read. Take a PNG, JPEG or WebP.`);
  }
  const { width, height } = picture;
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const fits = scale === 1 && file.size <= MAX_BYTES && SENT_AS_THEY_ARE.includes(file.type);
  const blob = fits ? file : await redrawn(picture, width * scale, height * scale);
  picture.close();
  return { name: name || "photo", url: URL.createObjectURL(blob), b64: await base64Of(blob) };
}

/** Reads an article of the examples. */
export async function fetchArticle(url, name) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${name} is not there any more: ${url} answers ${response.status}.`);
  return { name, url, b64: await base64Of(await response.blob()) };
}

async function redrawn(picture, width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(width), height: Math.round(height) });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.93));
}

function base64Of(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
