(() => {
  "use strict";
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const said = document.querySelector(".said");

  // what does not scroll is no stop for the keyboard
  const mark = () => all(".scroll").forEach((place) => {
    if (place.scrollWidth > place.clientWidth + 1) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  });
  mark();
  addEventListener("resize", mark);
  addEventListener("load", mark);

  // copying by a button; without the clipboard, by a selection
  const put = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "said";
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const sources = {
    code: (place) => place.querySelector("pre").textContent,
    tex: (place) => place.querySelector("annotation").textContent,
  };
  all("button.copy").forEach((button) => {
    const name = button.textContent;
    const label = button.getAttribute("aria-label");
    const show = (text, words) => {
      button.textContent = text;
      button.setAttribute("aria-label", words);
    };
    button.hidden = false;
    button.addEventListener("click", async () => {
      await put(sources[button.dataset.copy](button.parentElement));
      show("copied", "copied");
      said.textContent = "copied";
      setTimeout(() => {
        show(name, label);
        said.textContent = "";
      }, 1500);
    });
  });

  // formulas inside of a selection are copied as LaTeX
  document.addEventListener("copy", (event) => {
    const chosen = getSelection();
    if (!chosen.rangeCount || chosen.isCollapsed) return;
    const part = document.createElement("div");
    part.className = "said";
    part.append(chosen.getRangeAt(0).cloneContents());
    const formulas = all("math", part).filter((math) => math.querySelector("annotation"));
    if (!formulas.length) return;
    event.clipboardData.setData("text/html", part.innerHTML);
    formulas.forEach((math) => {
      const marks = math.getAttribute("display") === "block" ? "$$" : "$";
      math.replaceWith(marks + math.querySelector("annotation").textContent + marks);
    });
    all("button", part).forEach((button) => button.remove());
    document.body.append(part);
    event.clipboardData.setData("text/plain", part.innerText);
    part.remove();
    event.preventDefault();
  });
})();
