"""Writes the C file that holds BIP-39's English word list: embed_words.py OUTPUT

The list comes with Debian's package python3-mnemonic. It is fixed for all time, so any other content is a mistake of whoever
provides it, and would turn people's phrases into other keys than they have elsewhere."""
import hashlib
import pathlib
import sys

FOLDERS = ["/usr/lib/python3/dist-packages", *sys.path]
SHA256 = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"

candidates = [pathlib.Path(folder) / "mnemonic" / "wordlist" / "english.txt" for folder in FOLDERS]
path = next((path for path in candidates if path.is_file()), None)
if path is None:
    sys.exit("BIP-39's English word list is not there; install Debian's package python3-mnemonic (scripts/install-deps does)")
content = path.read_bytes()
if hashlib.sha256(content).hexdigest() != SHA256:
    sys.exit(f"{path} is not BIP-39's English word list: its SHA-256 is another")
rows = "".join(f'  "{word}",\n' for word in content.decode("ascii").split())
pathlib.Path(sys.argv[1]).write_text(
    '#include "keys/phrase_words.h"\n\nconst char sv_phrase_words[SV_PHRASE_N_WORDS][SV_PHRASE_WORD_SIZE] = {\n' + rows + "};\n")
