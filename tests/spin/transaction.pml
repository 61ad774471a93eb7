/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction with three instances, for spin(1).  The daemon offers, gathers
 * votes, decides by one write to the disk, commits; it may die between any two
 * steps and comes back with what is on the disk.  Instances vote as they like,
 * are silent, die, and connect again.  What has been sent is still read after
 * its sender's death, as from a socket.
 *
 * Proven, for every order of events:
 *   no instance uses what is not decided, and nothing is decided that one who
 *   stayed has rejected
 *   a number that was offered once never stands for anything else
 *   none goes back to an older generation
 *   when all is quiet, everyone uses what is live; but who needs a restart for it
 *
 * Variants that must be found wrong: -DCOMMIT_BEFORE_DECIDE, -DOVERHEAR_REJECT,
 * -DNO_RESYNC, -DNUMBER_IN_MEMORY.
 */
#ifndef N
#define N 3			/* instances */
#endif
#ifndef TRANSACTIONS
#define TRANSACTIONS 1
#endif
#define DAEMON_DEATHS 1
#define INSTANCE_DEATHS 1
#define MOST 4			/* generations: the first, and one for each transaction */

mtype = { offer, commit, abort, apply, accept, reject, gone };
mtype = { open, widowed, orphaned, none };	/* a connection: whole; its daemon, its instance has died; none */

chan to[3] = [4] of { mtype, byte, byte };	/* kind, generation, content: the transaction that made it */
chan from[3] = [3] of { mtype, byte };		/* verdict, generation */
mtype link[3] = none;

/* ---- the disk */
byte live = 1;
byte live_content;
byte next = 2;

/* ---- what instances know */
byte uses[3];			/* 0: it has just started */
byte holds[3];			/* generation of a candidate; 0: none */
byte holds_content[3];
bool keeps[3];			/* stays on its old generation until it restarts */

/* ---- the daemon's memory; `made` counts transactions, as changed files do, and outlives it */
bool up = true;
byte made;
byte candidate;			/* 0: no transaction */
bool asking, asked[3], answered[3], joined[3];

/* ---- what only the proof knows */
bool decided[MOST];
byte content[MOST];		/* of a decided generation */
byte offered[MOST];		/* content that was ever offered as this generation; 0: none */
bool rejected;			/* the candidate, in time, by one who has not left since */
byte rejecter;
byte transactions_left = TRANSACTIONS, daemon_deaths = DAEMON_DEATHS, instance_deaths = INSTANCE_DEATHS;

inline flush_to(i)
{
	do
	:: to[i]?_, _, _
	:: empty(to[i]) -> break
	od
}

inline flush_from(i)
{
	do
	:: from[i]?_, _
	:: empty(from[i]) -> break
	od
}

/* ---- the daemon */

inline forget_transaction()
{
	asked[0] = false; asked[1] = false; asked[2] = false;
	answered[0] = false; answered[1] = false; answered[2] = false;
	joined[0] = false; joined[1] = false; joined[2] = false;
	candidate = 0; asking = false; rejected = false; rejecter = 0
}

inline heard(i)
{
	if
	:: said == gone -> link[i] = none; asked[i] = false
	:: said == accept && asked[i] && about == candidate -> answered[i] = true
	:: said == reject && asked[i] && about == candidate -> answered[i] = true; veto = true
	:: else
	fi;
	said = 0; about = 0
}

/* Reads what an instance has said, or sees that it has gone. */
inline hear()
{
	if
	:: atomic { from[0]?said, about -> heard(0) }
	:: atomic { from[1]?said, about -> heard(1) }
	:: atomic { from[2]?said, about -> heard(2) }
	:: atomic { link[0] == orphaned && empty(from[0]) -> said = gone; heard(0) }
	:: atomic { link[1] == orphaned && empty(from[1]) -> said = gone; heard(1) }
	:: atomic { link[2] == orphaned && empty(from[2]) -> said = gone; heard(2) }
	fi
}

inline tell(i, kind, g, c)
{
	if
	:: atomic { link[i] == open -> to[i]!kind, g, c }
	:: atomic { link[i] != open -> skip }
	fi
}

inline tell_if(condition, i, kind, g, c)
{
	if
	:: condition -> tell(i, kind, g, c)
	:: !(condition)
	fi
}

inline to_voters(kind)
{
	tell_if(asked[0], 0, kind, candidate, made);
	tell_if(asked[1], 1, kind, candidate, made);
	tell_if(asked[2], 2, kind, candidate, made)
}

inline ask(i)
{
	if
	:: atomic { link[i] == open && !asked[i] -> asked[i] = true; to[i]!offer, candidate, made }
	:: atomic { link[i] != open || asked[i] -> skip }
	fi
}

#define ANSWERED(i) (!asked[i] || answered[i])
#define SILENT(i) (asked[i] && !answered[i] && !joined[i] && link[i] == open)

inline transaction()
{
	atomic {
		transactions_left > 0 ->
		transactions_left--; made++; veto = false;
		candidate = next;
		assert(!offered[candidate]);
		offered[candidate] = made;
#ifndef NUMBER_IN_MEMORY
		next++				/* burnt on the disk before anybody hears of it */
#endif
	};
	asking = true;
	ask(0); ask(1); ask(2);
	/* Until all have answered, or the time is over: at any moment. */
	do
	:: hear()
	:: atomic { ANSWERED(0) && ANSWERED(1) && ANSWERED(2) -> silence = false; asking = false; break }
	:: atomic {
		silence = (SILENT(0) || SILENT(1) || SILENT(2));
		rejected = rejected && veto;	/* those still on the way come too late */
		asking = false;
		break
	   }
	od;
#ifdef OVERHEAR_REJECT
	veto = false;
#endif
	if
	:: veto || silence -> to_voters(abort)
	:: !veto ->				/* with silence: no_answer = "proceed", or --force */
#ifdef COMMIT_BEFORE_DECIDE
		to_voters(commit);
#endif
		atomic {
			assert(candidate > live && !decided[candidate] && !rejected);
			live = candidate; live_content = made; next = candidate + 1;
			decided[candidate] = true; content[candidate] = made
		};
#ifndef COMMIT_BEFORE_DECIDE
		to_voters(commit);
#endif
		/* Who was not asked gets the generation itself; who connects from now on does so anyway. */
		tell_if(!asked[0], 0, apply, live, live_content);
		tell_if(!asked[1], 1, apply, live, live_content);
		tell_if(!asked[2], 2, apply, live, live_content)
	fi;
	atomic { forget_transaction(); veto = false; silence = false }
}

inline bereave(i)
{
	if
	:: link[i] == open -> link[i] = widowed
	:: link[i] == orphaned -> link[i] = none
	:: else
	fi;
	flush_from(i)
}

active proctype prodd()
{
	byte about;
	mtype said;
	bool veto, silence;

life:
	{
		do
		:: transaction()
		:: hear()
		od
	} unless {
		atomic {
			!up ->
			bereave(0); bereave(1); bereave(2);
			forget_transaction();
			about = 0; said = 0; veto = false; silence = false; up = true
		}
	};
	goto life
}

active proctype death()
{
	do
	:: atomic { up && daemon_deaths > 0 -> daemon_deaths--; up = false }
	od
}

/* ---- an instance */

inline answer(verdict, g)
{
	if
	:: link[me] == open -> from[me]!verdict, g
	:: else
	fi
}

inline reject_in_time(g)
{
	if
	:: asking && g == candidate -> rejected = true; rejecter = me
	:: else
	fi
}

inline vote(g, c)
{
	holds[me] = g; holds_content[me] = c;
	if
	:: answer(accept, g)
	:: link[me] == open -> reject_in_time(g); answer(reject, g)
	:: skip		/* silence */
	fi
}

inline use(g, c)
{
	assert(decided[g] && content[g] == c);
	assert(g >= uses[me]);
	if
	:: uses[me] = g
	:: uses[me] != 0 -> keeps[me] = true	/* needs a restart for it */
	fi
}

/* Who leaves takes his verdict along, unless it has been heard. */
inline take_back()
{
	if
	:: rejecter == me -> rejected = false
	:: else
	fi
}

inline connect()
{
	flush_to(me);
	link[me] = open; asked[me] = false; answered[me] = false;
	if
#ifdef NO_RESYNC
	:: uses[me] == 0 -> to[me]!apply, live, live_content
#else
	:: uses[me] != live && !keeps[me] -> to[me]!apply, live, live_content
#endif
	:: else
	fi;
	if
	:: asking -> asked[me] = true; joined[me] = true; to[me]!offer, candidate, made
	:: else
	fi
}

inline die()
{
	if
	:: link[me] == open -> link[me] = orphaned
	:: link[me] == widowed -> link[me] = none
	:: else
	fi;
	take_back();
	flush_to(me);
	uses[me] = 0; holds[me] = 0; holds_content[me] = 0; keeps[me] = false
}

proctype instance(byte me)
{
	mtype kind;
	byte g, c;

	do
	:: atomic { (link[me] == open || link[me] == widowed) && nempty(to[me]) ->
		to[me]?kind, g, c;
		if
		:: kind == offer -> vote(g, c)
		:: kind == abort -> holds[me] = 0; holds_content[me] = 0
		:: kind == commit ->
			assert(holds[me] == g && holds_content[me] == c);
			holds[me] = 0; holds_content[me] = 0;
			use(g, c)
		:: kind == apply -> use(g, c)
		fi;
		kind = 0; g = 0; c = 0
	   }
	:: atomic { link[me] == widowed && empty(to[me]) -> link[me] = none; holds[me] = 0; holds_content[me] = 0 }
	:: atomic { link[me] == none && up -> connect() }
	:: atomic { instance_deaths > 0 -> instance_deaths--; die() }
	od
}

/* ---- all is quiet: nothing is on its way, and nobody has anything left to do */
#define QUIET(i) (i >= N || (link[i] == open && empty(to[i]) && empty(from[i])))
#define SETTLED(i) (i >= N || uses[i] == live || keeps[i])

active proctype settled()
{
	atomic {
		up && candidate == 0 && QUIET(0) && QUIET(1) && QUIET(2) && !(SETTLED(0) && SETTLED(1) && SETTLED(2)) ->
		assert(false)
	}
}

init {
	atomic {
		decided[1] = true;
		uses[0] = live; link[0] = open;		/* the others come when they like */
		run instance(0);
		run instance(1);
#if N > 2
		uses[1] = live; link[1] = open;
		run instance(2)
#endif
	};
	timeout;
	assert(up && candidate == 0 && QUIET(0) && QUIET(1) && QUIET(2))
}
