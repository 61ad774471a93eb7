#compdef prodctl
# SPDX-License-Identifier: Apache-2.0
# zsh completion for prodctl. What may come next is asked of prodctl itself; paths come from zsh.

_prodctl()
{
	local line
	local -a candidates

	for line in "${(@f)$(_call_program words ${(q)words[1]} --complete ${(q)words[2,CURRENT]} 2>/dev/null)}"; do
		[[ -n $line ]] && candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done
	if (( $#candidates )); then
		_describe -t words 'prodctl' candidates
	elif [[ ${words[CURRENT-1]} == --socket || $PREFIX == (*/*|.*) ]]; then
		_files
	fi
}

_prodctl "$@"
