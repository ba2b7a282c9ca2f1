/* Shows how far a job is, and loads the page anew once it has ended. */
"use strict";
for (const box of document.querySelectorAll("[data-progress]")) {
  const text = box.querySelector("[data-text]");
  const bar = box.querySelector("[data-bar]");
  const look = async () => {
    try {
      const answer = await fetch(box.dataset.progress, { credentials: "same-origin" });
      if (answer.ok) {
        const job = await answer.json();
        if (!job.active) {
          location.reload();
          return;
        }
        const { phase, bytes_done: done, bytes_total: total } = job.progress;
        text.textContent = phase ? `${phase}: ${(done / 1048576).toFixed(1)} MiB` : "waiting";
        if (total) {
          bar.max = total;
          bar.value = done;
        } else {
          bar.removeAttribute("value");
        }
      }
    } catch {
      // The server may be busy exchanging the database.
    }
    setTimeout(look, 1000);
  };
  look();
}
