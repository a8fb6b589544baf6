// Lets the sliders and choices of the gallery work; without it every picture stands half and half.
"use strict";

function describe(card, cut) {
  const chosen = card.querySelector("input[type=radio]:checked");
  const name = chosen ? chosen.dataset.title : "photo";
  cut.setAttribute("aria-valuetext", `${cut.value} % PyTorch, ${100 - cut.value} % ${name}`);
}

function show(card, choice) {
  const stage = card.querySelector(".stage");
  const right = card.querySelector(".right");
  stage.style.setProperty("--shown", `var(--mask-${choice.value})`);
  stage.style.setProperty("--marks", `var(--marks-${choice.value})`);
  stage.style.setProperty("--heat", `var(--heat-${choice.value})`);
  right.setAttribute("aria-label", choice.dataset.alt);
  card.querySelector(".tag-right").textContent = choice.dataset.title;
}

for (const card of document.querySelectorAll("article")) {
  const cut = card.querySelector("input[type=range]");
  cut.hidden = false;
  describe(card, cut);
  cut.addEventListener("input", () => {
    card.querySelector(".stage").style.setProperty("--cut", `${cut.value}%`);
    describe(card, cut);
  });
  card.addEventListener("change", (event) => {
    if (event.target.type === "radio") {
      show(card, event.target);
      describe(card, cut);
    }
  });
}

const tools = document.querySelector(".tools");
if (tools) {
  const [marks, only, name] = tools.querySelectorAll("select, input");
  const cards = [...document.querySelectorAll("article")];
  tools.hidden = false;
  marks.addEventListener("change", () => {
    tools.closest("section").dataset.marks = marks.value;
  });
  const choose = () => {
    const wanted = name.value.toLowerCase();
    for (const card of cards) {
      const found = card.querySelector("h3").textContent.toLowerCase().includes(wanted);
      card.hidden = !found || !only.value.includes(card.dataset.state);
    }
    const shown = cards.filter((card) => !card.hidden).length;
    tools.querySelector("output").textContent = `${shown || "none"} of ${cards.length}`;
  };
  only.addEventListener("change", choose);
  name.addEventListener("input", choose);
}

const dialog = document.querySelector("dialog");

function enlarge(card, button) {
  const place = document.createElement("div"); // keeps the card's place among the others
  place.style.height = `${card.offsetHeight}px`;
  card.replaceWith(place);
  dialog.append(card);
  dialog.showModal();
  button.textContent = "Close";
  const back = () => {
    place.replaceWith(card);
    button.textContent = "Enlarge";
    button.focus();
  };
  dialog.addEventListener("close", back, { once: true });
}

for (const button of document.querySelectorAll(".enlarge")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    if (dialog.open) dialog.close();
    else enlarge(button.closest("article"), button);
  });
}
if (dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

for (const figure of document.querySelectorAll("figure.drift:has(.plot)")) {
  const choice = figure.querySelector("input");
  const rows = figure.querySelectorAll("tbody tr");
  choice.hidden = false;
  const tell = () => {
    const { x, label } = rows[choice.value].dataset;
    figure.querySelector(".cursor").style.left = `${x}%`;
    figure.querySelector("output").textContent = label;
    choice.setAttribute("aria-valuetext", label);
  };
  tell();
  choice.addEventListener("input", tell);
}
