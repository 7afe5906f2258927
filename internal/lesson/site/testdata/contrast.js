// The texts of the page that are too like their ground, one a line.
(() => {
	const channels = c => c.match(/[\d.]+/g).map(Number);
	const luminance = c => channels(c).slice(0, 3)
		.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = e => {
		for (; e; e = e.parentElement) {
			const c = getComputedStyle(e).backgroundColor;
			if (channels(c)[3] !== 0) return c;
		}
		return "rgb(255, 255, 255)";
	};
	document.querySelectorAll("details").forEach(d => d.open = true);
	return [...document.querySelectorAll("body *")]
		.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
		.map(e => {
			const [a, b] = [luminance(getComputedStyle(e).color), luminance(ground(e))];
			return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e];
		})
		.filter(([ratio]) => ratio < 4.5)
		.map(([ratio, e]) => ratio.toFixed(1) + " " + e.tagName + " " + e.textContent.slice(0, 40))
		.join("\n");
})()
