"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const family = getComputedStyle(document.body).fontFamily;
  const copy = (value) => JSON.parse(JSON.stringify(value));

  function draw(look) {
    return Promise.all(Object.entries(figures).map(([id, figure]) => {
      const { data, layout } = copy(figure[look]);
      layout.font = { ...layout.font, family };
      return Plotly.react(id, data, { ...layout, autosize: true }, figure.config);
    }));
  }

  const fit = () => Object.keys(figures).forEach((id) => Plotly.Plots.resize(id));
  const now = () => draw(dark.matches ? "dark" : "light");
  now().then(() => document.documentElement.setAttribute("data-drawn", "yes"));
  dark.addEventListener("change", now);

  let folded = [];
  window.addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((one) => { one.open = true; });
    draw("light");
    fit();
  });
  window.addEventListener("afterprint", () => {
    folded.forEach((one) => { one.open = false; });
    now();
    fit();
  });

  document.getElementById("save-numbers").addEventListener("click", () => {
    const text = document.getElementById("numbers").textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "sharpline_report_numbers.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
})();
