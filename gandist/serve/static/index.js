// Keeps the list of jobs current, its ticks and its filter with it.
const rows = document.getElementById("rows");
const filter = document.getElementById("filter");
const compare = document.getElementById("compare");
const lost = document.getElementById("lost");

function ticked() {
  return [...rows.querySelectorAll("input:checked")].map((box) => box.value);
}

function show() {
  const wanted = filter.value.toLowerCase();
  for (const row of rows.querySelectorAll("tr[data-job]"))
    row.hidden = !row.dataset.job.toLowerCase().includes(wanted);
  compare.disabled = ticked().length < 2;
}

async function refresh() {
  const response = await fetch("/rows");
  if (response.status === 401) return location.reload();
  if (!response.ok) throw new Error(response.statusText);
  const html = await response.text();
  if (html === refresh.last) return;
  refresh.last = html;
  const kept = new Set(ticked());
  const focused = document.activeElement?.closest("#rows") ? document.activeElement.value : null;
  rows.innerHTML = html; // escaped by the server; and no script in it would run here
  for (const box of rows.querySelectorAll("input")) {
    box.checked = kept.has(box.value);
    if (box.value === focused) box.focus();
  }
  show();
}

async function follow() {
  if (!document.hidden) {
    try {
      await refresh();
      lost.textContent = "";
    } catch {
      lost.textContent = "gandist serve does not answer; trying again";
    }
  }
  setTimeout(follow, rows.textContent.includes("being read") ? 500 : 2000);
}

filter.addEventListener("input", show);
filter.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
rows.addEventListener("change", show);
follow();
