// A browser does not send a file that was changed after it was chosen: says so, where htmx is silent.
"use strict";

document.addEventListener("htmx:sendError", () => {
  const refused = document.createElement("p");
  refused.className = "cr-mistake cr-refused";
  refused.setAttribute("role", "alert");
  refused.textContent =
    "The file was not sent: it was changed after it was chosen, or the connection broke off. " +
    "Choose it once more; nothing was changed.";
  document.getElementById("answer").replaceChildren(refused);
});
