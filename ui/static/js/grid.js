// Arrow keys walk through the boxes of a table, as in a sheet. Tab still
// reaches each of them, so nobody needs to know.

const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function boxAt(table, row, column) {
  return table.rows[row]?.cells[column]?.querySelector('input[type="checkbox"]:not(:disabled)');
}

document.addEventListener("keydown", (event) => {
  const step = steps[event.key];
  const table = event.target.closest?.("[data-grid]");
  if (!step || !table || event.target.type !== "checkbox") return;
  const cell = event.target.closest("td");
  let [row, column] = [cell.parentElement.rowIndex, cell.cellIndex];
  for (;;) {
    row += step[0];
    column += step[1];
    if (row < 0 || row >= table.rows.length || column < 0 || column >= table.rows[0].cells.length) return;
    const box = boxAt(table, row, column);
    if (!box) continue;
    event.preventDefault();
    box.focus();
    return;
  }
});
