# SPDX-License-Identifier: Apache-2.0
# The reference part of prodd-client(3) from the comments of the public headers: a heading for each section, the
# declarations of each block as they stand, and below them what its comment says.

function escape(text)
{
	gsub(/[\\*_]/, "\\\\&", text)
	return text
}

# "Threads: any.  Returns: 0." gets its words in bold, in a paragraph of their own.
function say(text,    words, i)
{
	split("Threads Ownership Returns Since", words, " ")
	text = escape(text)
	for (i = 1; i in words; i++)
		gsub("(^|  *)" words[i] ": *", (i == 1 ? "\n\n\t*" : "  *") words[i] "*: ", text)
	sub(/^\n\n\t/, "", text)
	print "\t" text "\n"
}

function finish()
{
	if (declared == "")
		return
	print "```\n" declared "```\n"
	if (comment != "")
		say(comment)
	if (verbatim != "")
		print "```\n" verbatim "```\n"
	declared = ""
}

# X(BUSY, 9, "busy", 1, 9, "meaning") of the list of errors
/^\tX\([A-Z_]+, / {
	split($0, part, /[(,]/)
	split($0, quoted, "\"")
	print "*PRODD\\_E\\_" escape(part[2]) "*\n\t" escape(quoted[4]) "\n"
	next
}

# Public headers begin with what is not for the page, up to the first section.
/^\/\* ---- / {
	finish()
	comment = verbatim = ""
	sub(/^\/\* ---- /, "")
	sub(/ -+ \*\/$/, "")
	print "## " $0 "\n"
	in_section = 1
	next
}
/^\/\* ==== / { finish(); comment = verbatim = ""; in_section = 0; next }	# to the end: for compilers alone
FNR == 1 { finish(); comment = verbatim = ""; in_section = 0 }
!in_section { next }

# A comment that begins in the first column belongs to what follows it.
/^\/\*/ { finish(); comment = verbatim = ""; in_comment = 1 }
in_comment {
	line = $0
	ends = sub(/ *\*\/ *$/, "", line)
	if (sub(/^ \*\t/, "", line))
		verbatim = verbatim line "\n"
	else if (sub(/^(\/\*| \*)/, "", line) && line != "") {
		sub(/^ /, "", line)
		comment = comment (comment == "" ? "" : " ") line
	}
	if (ends)
		in_comment = 0
	next
}

# What programs call is a function to them, inline or not; its body is nobody's business.
/^static inline/ {
	in_body = 1
	hidden = !/prodd_declare\(/ && !/^static inline int prodd_declare/ && !/^static inline struct prodd_field prodd_[a-z_]*[a-z]\(/
}
in_body {
	if (/^\{/)
		skipping = 1
	if (!skipping && !hidden)
		declared = declared $0 "\n"
	if (/^\}/) {
		if (!hidden)
			sub(/\n$/, ";\n", declared)
		in_body = skipping = 0
	}
	next
}
/^#define/ && !/_H$/ { sub(/ __attribute__.*/, ""); declared = declared $0 "\n"; next }
/^#/ || /^extern/ || /^struct [a-z_]*;$/ || /^$/ { next }
/^}$/ { next }
{ sub(/ __attribute__.*;$/, ";"); sub(/^\t__attribute__.*;$/, "\t;"); declared = declared $0 "\n" }

END { finish() }
