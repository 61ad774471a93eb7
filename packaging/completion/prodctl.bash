# SPDX-License-Identifier: Apache-2.0
# bash completion for prodctl. What may come next is asked of prodctl itself; paths come from bash.

_prodctl()
{
	local words=() word candidate

	# readline has split "--env=staging" at "=" (see COMP_WORDBREAKS): give it as two words.
	for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
		[[ $word == '=' ]] || words+=("$word")
	done
	[[ $word == '=' ]] && words+=('')
	word=${words[${#words[@]} - 1]}

	COMPREPLY=()
	while IFS=$'\t' read -r candidate _; do
		[[ $candidate ]] && COMPREPLY+=("$candidate")
	done < <("${COMP_WORDS[0]/#\~/$HOME}" --complete "${words[@]}" 2>/dev/null)
	((${#COMPREPLY[@]} > 0)) && return
	if [[ $word == */* || $word == .* || ${words[${#words[@]} - 2]:-} == --socket ]]; then
		compopt -o filenames 2>/dev/null
		while IFS= read -r candidate; do
			COMPREPLY+=("$candidate")
		done < <(compgen -f -- "$word")
	fi
}

complete -F _prodctl prodctl
