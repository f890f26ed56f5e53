// Tells the page of a choice made in a box of categories: select2 tells jQuery alone.
"use strict";

django.jQuery(document).on("select2:select select2:clear", "select", (event) => {
  event.target.dispatchEvent(new Event("change", { bubbles: true }));
});
