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

const marks = document.querySelector("#marks");
if (marks) {
  marks.closest("label").hidden = false;
  marks.addEventListener("change", () => {
    document.querySelector(".cards").classList.toggle("unmarked", !marks.checked);
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
