"""Writes the C file that holds the manifest templates: embed_templates.py OUTPUT TEMPLATE.yaml…"""
import json
import pathlib
import sys

output, *templates = sys.argv[1:]
rows = []
for path in map(pathlib.Path, templates):
    lines = path.read_text(encoding="ascii").splitlines()
    # JSON escapes of ASCII text are C escapes as well.
    text = "\n".join("    " + json.dumps(line + "\n") for line in lines)
    rows.append(f'  {{ "{path.stem}",\n{text} }},\n')
pathlib.Path(output).write_text(
    '#include "operator/templates.h"\n\nconst SvTemplate sv_templates[] = {\n' + "".join(rows) + "  { NULL, NULL },\n};\n")
