// What the reader has opened stays open when a part of the page is refreshed:
// the server does not know of it, so morphing would close it.
htmx.registerExtension("keep", {
  htmx_before_morph_node(_, { oldNode, newNode }) {
    if (oldNode instanceof HTMLDetailsElement && newNode instanceof HTMLDetailsElement) {
      newNode.open = oldNode.open;
    }
    // A form that is being filled in keeps what was typed.
    if (oldNode.dataset?.editing !== undefined) return false;
    // A mail that is shown as HTML goes on being shown so.
    if (oldNode.classList?.contains("body") && oldNode.dataset.as !== newNode.dataset?.as) return false;
    if (oldNode.classList?.contains("switch-option")) return false;
    return true;
  },
});
