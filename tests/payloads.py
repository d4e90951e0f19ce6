"""What somebody may type or paste who means harm: each would set `hit` or fetch something, were it more than text."""

_RUN = "globalThis.hit=1"
PAYLOADS = [
    f"<script>{_RUN}</script>", f"</script><script>{_RUN}</script>", f"<img src=x onerror={_RUN}>", f"<svg onload={_RUN}>",
    f"<svg><script>{_RUN}</script></svg>", f"<body onload={_RUN}>", f"<iframe srcdoc='<script>parent.{_RUN}</script>'></iframe>",
    f"<iframe src='javascript:parent.{_RUN}'></iframe>", f"<a href='javascript:{_RUN}' autofocus onfocus={_RUN}>go</a>",
    f"<details open ontoggle={_RUN}>", f"<video><source onerror={_RUN}></video>", f"<input autofocus onfocus={_RUN}>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={_RUN}>",
    f"<noscript><p title=\"</noscript><img src=x onerror={_RUN}>\">",
    f"<object data='javascript:{_RUN}'></object>", f"<embed src='javascript:{_RUN}'>", "<base href='https://example.invalid/'>",
    "<meta http-equiv=refresh content='0;url=https://example.invalid/'>", "<link rel=stylesheet href=https://example.invalid/x.css>",
    f"\"><img src=x onerror={_RUN}>", f"' autofocus onfocus={_RUN} '", f"&lt;img src=x onerror={_RUN}&gt;",
    f"&#60;img src=x onerror={_RUN}&#62;", f"\\u003cimg src=x onerror={_RUN}\\u003e", f"${{{_RUN}}}",
    f"{{{{constructor.constructor('{_RUN}')()}}}}",
    f"[go](javascript:{_RUN})", f"![see](x\" onerror=\"{_RUN})", f"javascript:{_RUN}", f"450 GB/s<img src=x onerror={_RUN}>",
    "__proto__", "constructor", f"\u202e<img src=x onerror={_RUN}>",
]
# How many elements of a page no text of ours makes, and whether one of them ran.
SPOILT = """() => [globalThis.hit ?? 0, document.querySelectorAll(
  "script:not([src]), iframe, object, embed, base, video, img[src=x], [onerror], [onload], [onfocus], [ontoggle],"
  + "a[href^='javascript:'], meta[http-equiv=refresh], link[href*='example.invalid'], mglyph").length]"""
