//go:build linux

package main

import (
	"io"
	"text/template"

	"github.com/containerkit/kit/internal/attack"
)

// attackPage is the matrix as a page without scripts, and nothing from elsewhere. It
// escapes by hand: html/template costs every process of kit's a tenth of a millisecond.
const attackPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>kit attack: what works at each step</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid #8886; }
tbody th { min-width: 16rem; }
.state { text-align: center; }
.works { background: #c0392b; color: #fff; }
.stopped { background: #2e7d4f; color: #fff; }
.not { color: #888; }
details { max-width: 60ch; font-weight: normal; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
</style></head><body>
<h1>What works at each step</h1>
<p>Every cell is a run of the attack; point at one to see what the kernel said.</p>
<div class="scroll"><table><thead><tr><th>attack</th>
{{- range .Places}}<th class="state">{{name . | html}}</th>{{end}}</tr></thead><tbody>
{{range $e := .Attacks -}}
<tr><th><details><summary>{{$e.Name | html}}: {{$e.Tries | html}}</summary><p>{{$e.Why | html}}</p>
{{- with $e.Evidence}}<p>By <code>{{.File | html}}:{{.Line}}</code>:</p>
<pre>{{.Call | html}}</pre><p>{{.Why | html}}</p>
{{- with .Tried}}<p>The attack itself:</p><pre>{{. | html}}</pre>{{end}}{{end}}</details></th>
{{- range $.Places}}{{with index $e.Results .}}<td class="state {{class .}}"
{{- ""}} title="{{text . | html}}">
{{- .State | html}}</td>{{end}}{{end}}</tr>
{{end}}</tbody></table></div>
</body></html>
`

func (m *matrix) writeHTML(out io.Writer) error {
	page, err := template.New("attack").Funcs(template.FuncMap{
		"name": placeName, "text": outcomeText,
		"class": func(o attack.Outcome) string {
			if o.State == attack.NotRun {
				return "not"
			}
			return o.State
		},
	}).Parse(attackPage)
	if err != nil {
		return err
	}
	return page.Execute(out, m)
}
