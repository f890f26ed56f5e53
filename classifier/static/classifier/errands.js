// Keeps every errand's bar on the page up to date, until the errand is over.
"use strict";

(() => {
  const QUICK = 1000; // milliseconds between two questions
  const SLOW = 5000; // after a question that got no answer

  const part = (box, name) => box.querySelector(`[data-${name}]`);

  function show(box, told) {
    const bar = box.querySelector("[role=progressbar]");
    bar.setAttribute("aria-valuenow", told.percent);
    bar.firstElementChild.style.width = `${told.percent}%`;
    if (part(box, "said").textContent !== told.said) part(box, "said").textContent = told.said;
    part(box, "time").textContent = told.time;
  }

  function end(box, told) {
    if (box.dataset.then === "reload") return location.reload();
    if (box.dataset.then === "go" && told.state === "done") return location.assign(told.result);
    box.querySelector("[role=progressbar]").hidden = true;
    part(box, "said").classList.toggle("cr-mistake", told.state === "failed");
    if (told.state === "failed") return undefined;
    const way = document.createElement("a");
    way.className = "cr-button cr-button-first";
    way.href = told.file || told.result;
    way.textContent = told.file ? `Download ${told.file_name}` : "See what came of it";
    part(box, "ways").replaceChildren(way);
    return undefined;
  }

  async function follow(box) {
    let pause = QUICK;
    try {
      const answer = await fetch(box.dataset.errand, { headers: { Accept: "application/json" } });
      if (answer.status === 403 || answer.status === 404 || answer.redirected) {
        part(box, "time").textContent = "It can no longer be followed from here; load the page again.";
        return;
      }
      if (!answer.ok) throw new Error(answer.statusText);
      const told = await answer.json();
      show(box, told);
      if (told.state === "done" || told.state === "failed") {
        end(box, told);
        return;
      }
    } catch {
      part(box, "time").textContent = "No answer just now; trying again.";
      pause = SLOW;
    }
    setTimeout(follow, pause, box);
  }

  // A bar may come twice with its script, and later with htmx: each is followed once.
  function begin() {
    document.querySelectorAll("[data-errand]:not([data-followed])").forEach((box) => {
      box.dataset.followed = "";
      follow(box);
    });
  }

  begin();
  document.addEventListener("htmx:afterSettle", begin);
})();
