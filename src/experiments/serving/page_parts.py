"""The HTML, CSS and JavaScript of the page on which an image is dropped."""

STYLE = """
body { max-width: 860px; }
#drop { display: block; border: 2px dashed #999; border-radius: 10px; cursor: pointer;
        padding: 2.2rem 1rem; text-align: center; color: #555; background: #fafafa; }
#drop.over { border-color: #2268b2; background: #e9f2fb; }
#drop:focus-within { outline: 3px solid #2268b2; }
#drop input { position: absolute; opacity: 0; width: 1px; }
#told { min-height: 1.5em; margin: .8rem 0; }
#told.wrong { color: #a11; }
#result { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
          gap: 1.5rem; align-items: start; }
@media (max-width: 640px) { #result { grid-template-columns: 1fr; } }
#bars { list-style: none; margin: 0; padding: 0; }
#bars button { all: unset; box-sizing: border-box; display: grid; width: 100%;
               grid-template-columns: 1fr auto; position: relative; cursor: pointer;
               padding: .45rem .6rem; margin-bottom: .35rem; background: #f2f2f2;
               border-radius: 4px; overflow: hidden; }
#bars button:focus-visible { outline: 2px solid #2268b2; }
#bars button[aria-pressed=true] { box-shadow: inset 0 0 0 2px #2268b2; }
#bars i { position: absolute; inset: 0 auto 0 0; background: #bcd6f0; }
#bars span { position: relative; overflow-wrap: anywhere; }
#bars li:first-child span { font-weight: bold; }
#pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
#pictures figure { margin: 0; font-size: 13px; }
#pictures img { width: 100%; display: block; background: #eee; border-radius: 4px; }
#pictures img.tiny { image-rendering: pixelated; }
[hidden] { display: none !important; }
.small { font-size: 13px; color: #666; }
"""

BODY = """
<label id="drop">Drop an image here, paste one, or <b>choose a file</b>
<input id="file" type="file" accept="image/*"></label>
<p id="told" role="status"></p>
<div id="result" hidden>
  <div><ul id="bars" aria-label="likeliest classes"></ul>
  <p class="small">Choose a class to see where the image speaks for it.</p></div>
  <div><div id="pictures">
    <figure><img id="seen" alt="the image as the model sees it">
      <figcaption>as the model sees it</figcaption></figure>
    <figure><img id="map" alt="heat map"><figcaption id="heading"></figcaption></figure>
  </div><p class="small" id="unmapped"></p></div>
</div>
"""

SCRIPT = """
document.addEventListener("DOMContentLoaded", () => {
  const at = (id) => document.getElementById(id);
  const SHOWN = 5, TINY = 100;
  let image = null, turn = 0;

  function tell(text, wrong = false) {
    at("told").textContent = text;
    at("told").className = wrong ? "wrong" : "";
  }
  async function ask(path, content) {
    const settings = {method: "POST", headers: {"Content-Type": "application/json"}};
    const answer = await fetch(path, {...settings, body: JSON.stringify(content)});
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message);
    return told;
  }
  function read(file) {
    return new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(reader.result.split(",")[1] || "");
      reader.onerror = () => failed(new Error("The file cannot be read."));
      reader.readAsDataURL(file);
    });
  }
  function span(text) {
    const part = document.createElement("span");
    part.textContent = text;
    return part;
  }
  function showBars(answer) {
    const ranked = Object.entries(answer.probabilities).sort((a, b) => b[1] - a[1]);
    at("bars").replaceChildren(...ranked.slice(0, SHOWN).map(([name, share]) => {
      const button = document.createElement("button");
      const bar = document.createElement("i");
      bar.style.width = `${100 * share}%`;
      button.append(bar, span(name), span(`${(100 * share).toFixed(1)} %`));
      button.dataset.name = name;
      button.onclick = () => explain(name);
      const line = document.createElement("li");
      line.append(button);
      return line;
    }));
  }
  async function explain(name) {
    const mine = ++turn;
    for (const button of at("bars").querySelectorAll("button"))
      button.setAttribute("aria-pressed", button.dataset.name === name);
    try {
      const found = await ask("/explain", {image, class_name: name});
      if (mine !== turn) return;
      at("seen").src = found.seen;
      at("map").src = found.map;
      at("map").alt = at("heading").textContent = found.heading;
      at("pictures").hidden = false;
      at("unmapped").textContent = "";
    } catch (error) {
      if (mine !== turn) return;
      at("pictures").hidden = true;
      at("unmapped").textContent = `No heat map: ${error.message}`;
    }
  }
  async function take(file) {
    if (!file) return;
    const mine = ++turn;
    at("result").hidden = true;
    tell(`Looking at ${file.name} ...`);
    try {
      const content = await read(file);
      const {predictions} = await ask("/invocations", {instances: [{image: content}]});
      if (mine !== turn) return;
      image = content;
      const [answer] = predictions;
      const found = answer.label ?? (answer.labels.join(", ") || "none of the classes");
      tell(`${file.name}: ${found}`);
      showBars(answer);
      at("pictures").hidden = true;
      at("result").hidden = false;
      if (answer.label) await explain(answer.label);
    } catch (error) {
      if (mine === turn) tell(error.message, true);
    }
  }
  for (const id of ["seen", "map"])
    at(id).onload = ({target}) =>
      target.classList.toggle("tiny", target.naturalWidth < TINY);
  const zone = at("drop");
  for (const name of ["dragenter", "dragover"])
    document.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  for (const name of ["dragleave", "drop"])
    document.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.remove("over");
    });
  document.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
  document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
  at("file").onchange = (event) => {
    take(event.target.files[0]);
    event.target.value = "";
  };
});
"""
