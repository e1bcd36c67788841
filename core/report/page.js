"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const family = getComputedStyle(document.body).fontFamily;
  const copy = (value) => JSON.parse(JSON.stringify(value));

  function draw(look, sized) {
    return Promise.all(Object.entries(figures).map(([id, figure]) => {
      const { data, layout } = copy(figure[look]);
      layout.font = { ...layout.font, family };
      layout.autosize = !sized;
      if (sized) layout.width = document.getElementById(id).clientWidth;
      return Plotly.react(id, data, layout, figure.config);
    }));
  }

  const now = () => draw(dark.matches ? "dark" : "light", false);
  now().then(() => document.documentElement.setAttribute("data-drawn", "yes"));
  dark.addEventListener("change", now);

  // Paper does not tell its width in time, so the page takes that of A4 while it is printed.
  let folded = [];
  window.addEventListener("beforeprint", () => {
    document.body.classList.add("paper");
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((one) => { one.open = true; });
    draw("light", true);
  });
  window.addEventListener("afterprint", () => {
    document.body.classList.remove("paper");
    folded.forEach((one) => { one.open = false; });
    now();
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
