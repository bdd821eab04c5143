// Runs before the first paint, so that a chosen theme never flashes the other one. theme.js does the rest.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("backstep-theme");
  } catch {
    // storage may be forbidden; the system's theme then holds
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
