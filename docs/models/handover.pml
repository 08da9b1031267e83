/* The hand-over of a guest between two members: a model of lgr/lgr_handover.c and of what of lgr_source.c and
 * lgr_dest.c bears on it. Either member may be the source, one relocation after another, RELOCATIONS in all.
 *
 * Every step is one PDR access or none. The link is a stream: messages keep their order, and a cut loses all that are
 * under way; each side notices it by itself, and a new link comes when both have. A write of the PDR is done, is not
 * done and known not to be, or has an unknown outcome; reading may fail, which is a step that changes nothing. A member
 * dies at any moment; later it is found Down, which frees its claims, or it starts again, which does too. A guest that
 * nobody owns may be logged on anywhere; it may log off at any time, also in doubt.
 * A member may leave: its row says so first, from when on nothing is given to it, then it looks what it was given while
 * READY, and only then its claims are dropped. Whoever finds the PDR locked at the hand-over tries again, or stays.
 * A destination that has everything may ask CP exit 1231 before it says READY; the exit answers at any time, or the
 * relocation ends before it does. (Exit 1230 is asked when nothing of the guest has moved, and bears on nothing here.)
 * What is left out: storage and state, which READY vouches for; limits, CANCEL and resets, which are all one: the source
 * may end a relocation at any time before the hand-over.
 *
 * Checked after every step:
 *   [I1] the guest runs on one member at most, and only there where the PDR says it belongs
 *   [I2] a member that lives, owns it and takes no part in a relocation runs it
 *   [I4] the PDR gives it only to a member that has said READY in this relocation, or has died
 *   [I5] who is READY and discards does not own it, nor was it given to it before: both sides tell the same
 *   [I6] who is READY is told in the end: nobody waits while there is nothing under way that would tell
 *   [I7] the guest goes nowhere that an exit has kept it from, or that an exit is still asked about: [I4] demands READY
 * -DMUTATION=n takes one rule away; `make model` demands that each is missed. */
#ifndef MUTATION
#define MUTATION 0
#endif
#define MUT(n) (MUTATION == n)

#define NONE 2
#define RELOCATIONS 2
#define LOGONS 2
#define ROOM 8 /* messages under way; more there never are */

#define IDLE 0
#define SENT 1  /* source: quiesced, everything is sent, waits for READY */
#define DOUBT 2 /* source: the PDR knows */
#define HAS 3   /* destination: not everything yet */
#define READY 4
#define SENDS 5 /* source: has asked for a skeleton */
#define ASKS 6  /* destination: has everything, and an exit has not answered */
#define LOCKED 7 /* source: READY has come, and somebody else writes the PDR */

mtype = { SKELETON, WHOLE, SAYS_READY, COMMIT, ABORT, FAILED, ASK };

/* the PDR */
byte owner = NONE;
byte generation = 0;
bit joined[2] = 1;  /* its row; a member that starts is Joined with its links, not before */

/* the members */
bit dead[2];
bit runs[2];
byte role[2];
byte claim[2];      /* generation: of the guest that is here, or of the source's */
byte id[2];         /* of the relocation */
bit whole[2];       /* the destination has everything of relocation id */
bit leaving[2];     /* its row says so */
byte given = 0;     /* the relocation in which it was given last */
bit pending[2];     /* a release that waits for the PDR, of generation released */
byte released[2];

/* the link: up as each side sees it */
bit up[2];
chan queue[2] = [ROOM] of { mtype, byte }; /* to member i */

byte relocations = 0, logons = 0;

#define OTHER(i) (1 - (i))
#define EARLY(i) (role[i] == SENDS || role[i] == SENT || role[i] == LOCKED)
#define SOURCE(i) (EARLY(i) || role[i] == DOUBT)
#define UNSAID(i) (role[i] == HAS || role[i] == ASKS) /* a destination that has not said READY */
#define LINKED (up[0] && up[1])

inline send(to, what, number)
{
    if
    :: LINKED -> assert(len(queue[to]) < ROOM); queue[to]!what, number
    :: !LINKED /* lost with the link, which the sender will notice */
    fi
}

inline check()
{
    assert(runs[0] + runs[1] <= 1);                                   /* [I1] */
    assert(!runs[0] || owner == 0);
    assert(!runs[1] || owner == 1);
    assert(owner != 0 || dead[0] || role[0] != IDLE || runs[0] || pending[0]); /* [I2] */
    assert(owner != 1 || dead[1] || role[1] != IDLE || runs[1] || pending[1]);
    assert(!(role[0] == READY && owner == 1 && generation == claim[0] && !dead[1] && role[1] == IDLE && !pending[1] && LINKED &&
             len(queue[0]) == 0 && len(queue[1]) == 0));                    /* [I6] */
    assert(!(role[1] == READY && owner == 0 && generation == claim[1] && !dead[0] && role[0] == IDLE && !pending[0] && LINKED &&
             len(queue[0]) == 0 && len(queue[1]) == 0))
}

inline lose(i)
{
    do
    :: queue[i]?_, _
    :: len(queue[i]) == 0 -> break
    od
}

/* The source keeps the guest. */
inline stay(i)
{
    runs[i] = 1; role[i] = IDLE; send(OTHER(i), ABORT, id[i])
}

/* The one write; the destination must be READY in this relocation, or dead [I4]. */
inline give(i)
{
    assert(dead[OTHER(i)] || (role[OTHER(i)] == READY && whole[OTHER(i)] && id[OTHER(i)] == id[i]));
    owner = OTHER(i); generation++; given = id[i]
}

/* Compare and write. */
inline hand_over(i)
{
    if
    :: owner == i && generation == claim[i] && (joined[OTHER(i)] || MUT(12)) ->
       if
       :: give(i); role[i] = IDLE; send(OTHER(i), COMMIT, id[i])
       :: give(i); role[i] = DOUBT
       :: role[i] = DOUBT
       :: stay(i)
       :: MUT(8) -> give(i); stay(i)
       fi
    :: else -> stay(i)
    fi
}

inline discard(i)
{
    assert(owner != i && (role[i] != READY || given != id[i]));       /* [I5] */
    role[i] = IDLE; whole[i] = 0
}

/* What it has sent may still arrive; what was on its way to it is lost. */
inline die(i)
{
    dead[i] = 1; runs[i] = 0; role[i] = IDLE; whole[i] = 0; pending[i] = 0; up[i] = 0; leaving[i] = 0; lose(i)
}

inline free_claims(i)
{
    joined[i] = 0;
    if
    :: owner == i -> owner = NONE
    :: else
    fi
}

active [2] proctype Member()
{
    byte me = _pid;
    byte number;
    do
    /* log on, off; the release is at once or later, and looks at the generation */
    :: atomic { !dead[me] && joined[me] && owner == NONE && !runs[me] && !SOURCE(me) && logons < LOGONS ->
         logons++;
         if
         :: (UNSAID(me) || role[me] == READY) && !MUT(1) ->
            discard(me); send(OTHER(me), FAILED, id[me])
         :: else
         fi;
         generation++; owner = me; claim[me] = generation; assert(!runs[me]); runs[me] = 1; check() }
    :: atomic { !dead[me] && (runs[me] || SOURCE(me)) && !pending[me] ->
         if
         :: EARLY(me) -> send(OTHER(me), ABORT, id[me])
         :: else
         fi;
         runs[me] = 0; role[me] = IDLE; released[me] = claim[me]; pending[me] = 1; check() }
    :: atomic { !dead[me] && pending[me] ->
         if
         :: owner == me && (generation == released[me] || MUT(2)) -> owner = NONE
         :: owner != me && MUT(3) -> owner = NONE
         :: else
         fi;
         pending[me] = 0; check() }

    /* source: the skeleton is asked for, the guest is stopped, everything is sent */
    :: atomic { runs[me] && role[me] == IDLE && !pending[me] && !leaving[me] && LINKED && relocations < RELOCATIONS ->
         relocations++; id[me] = relocations; role[me] = SENDS; runs[me] = MUT(4);
         send(OTHER(me), SKELETON, id[me]); check() }
    :: atomic { role[me] == SENDS && !dead[me] && LINKED ->
         role[me] = SENT; send(OTHER(me), WHOLE, id[me]) }
    /* ended before the hand-over: CANCEL, limits, errors */
    :: atomic { EARLY(me) && !dead[me] -> stay(me); check() }
    :: atomic { role[me] == LOCKED && !dead[me] ->
         if
         :: hand_over(me)
         :: MUT(15) -> role[me] = IDLE; send(OTHER(me), COMMIT, id[me]) /* takes it for written */
         fi;
         check() }
    /* in doubt: the PDR is read */
    :: atomic { role[me] == DOUBT && !dead[me] ->
         if
         :: MUT(5) -> stay(me)
         :: else ->
            if
            :: owner == me && generation == claim[me] -> stay(me)
            :: else -> role[me] = IDLE; send(OTHER(me), COMMIT, id[me])
            fi
         fi;
         check() }

    /* destination: looks into the PDR, at any time while READY */
    :: atomic { role[me] == READY && !dead[me] && owner == me && generation > claim[me] ->
         assert(!runs[me]); role[me] = IDLE; whole[me] = 0; claim[me] = generation; runs[me] = 1; check() }
    :: atomic { role[me] == READY && !dead[me] && MUT(6) && !up[me] ->
         role[me] = IDLE; whole[me] = 0; runs[me] = 1; check() }
    /* neither its own nor the source's any more */
    :: atomic { role[me] == READY && !dead[me] && owner != me &&
         (owner == NONE || generation != claim[me]) -> discard(me); check() }
    :: atomic { UNSAID(me) && !dead[me] -> discard(me); send(OTHER(me), FAILED, id[me]); check() }
    /* the exit lets it restart; that it does not is the line above */
    :: atomic { role[me] == ASKS && !dead[me] ->
         whole[me] = 1; role[me] = READY; send(OTHER(me), SAYS_READY, id[me]); check() }

    /* leaving in order: not with a guest of its own */
    :: atomic { !dead[me] && joined[me] && !leaving[me] && !runs[me] && !SOURCE(me) && !pending[me] ->
         leaving[me] = 1; joined[me] = 0; check() }
    /* nothing can be given to it any more */
    :: atomic { leaving[me] && role[me] == READY && owner == OTHER(me) -> discard(me); check() }
    /* what was given to it has been logged off; its claims are dropped, and the process ends */
    :: atomic { leaving[me] && !runs[me] && !pending[me] && (role[me] != READY || MUT(14)) ->
         free_claims(me);
         if
         :: role[me] == READY || UNSAID(me) -> discard(me)
         :: else
         fi;
         die(me); check() }

    /* messages */
    :: atomic { !dead[me] && up[me] && len(queue[me]) > 0 ->
         if
         :: queue[me]?SKELETON, number ->
            if
            :: role[me] == IDLE && !runs[me] && !pending[me] && !leaving[me] ->
               role[me] = HAS; id[me] = number; whole[me] = 0; claim[me] = generation
            :: else -> send(OTHER(me), FAILED, number)
            fi
         :: queue[me]?WHOLE, number ->
            if
            :: role[me] == HAS && id[me] == number -> /* no exit is enabled here, or one is */
               if
               :: whole[me] = 1; role[me] = READY; send(OTHER(me), SAYS_READY, number)
               :: role[me] = ASKS
               :: MUT(13) -> role[me] = ASKS; send(OTHER(me), SAYS_READY, number)
               fi
            :: else
            fi
         :: queue[me]?SAYS_READY, number ->
            if
            :: role[me] == SENT && (id[me] == number || MUT(7)) ->
               if
               :: hand_over(me)
               :: role[me] = LOCKED
               fi
            :: else
            fi
         :: queue[me]?COMMIT, number /* a reason to look at once */
         :: queue[me]?ABORT, number ->
            if
            :: UNSAID(me) && id[me] == number -> discard(me)
            :: role[me] == READY && id[me] == number && owner != me -> discard(me)
            :: else
            fi
         :: queue[me]?FAILED, number ->
            if
            :: EARLY(me) && id[me] == number -> stay(me)
            :: else
            fi
         :: queue[me]?ASK, number ->
            if
            :: SOURCE(me) && id[me] == number
            :: else -> send(OTHER(me), ABORT, number)
            fi
         fi;
         check() }

    /* a lost link: before the hand-over the source stays, and who has not everything discards */
    :: atomic { !dead[me] && up[me] && !up[OTHER(me)] ->
         up[me] = 0;
         lose(me);
         if
         :: EARLY(me) -> stay(me)
         :: UNSAID(me) -> discard(me)
         :: role[me] == READY && MUT(9) -> role[me] = IDLE; whole[me] = 0
         :: role[me] == DOUBT && MUT(10) -> stay(me)
         :: else
         fi;
         check() }
    /* and back: who is READY asks */
    :: atomic { !dead[0] && !dead[1] && !up[0] && !up[1] && me == 0 ->
         up[0] = 1; up[1] = 1; joined[0] = !leaving[0]; joined[1] = !leaving[1];
         if
         :: role[0] == READY && !MUT(11) -> queue[1]!ASK, id[0]
         :: else
         fi;
         if
         :: role[1] == READY && !MUT(11) -> queue[0]!ASK, id[1]
         :: else
         fi;
         check() }
    od
}

active proctype World()
{
    byte i;
    do
    :: atomic { LINKED -> /* cut: noticed on one side first */
         if
         :: i = 0
         :: i = 1
         fi;
         lose(0); lose(1);
         up[i] = 0;
         if
         :: EARLY(i) && !dead[i] -> runs[i] = 1; role[i] = IDLE
         :: UNSAID(i) && !dead[i] -> discard(i)
         :: else
         fi;
         check() }
    :: atomic { !dead[0] -> die(0); check() }
    :: atomic { !dead[1] -> die(1); check() }
    :: atomic { dead[0] && joined[0] -> free_claims(0); check() } /* found Down */
    :: atomic { dead[1] && joined[1] -> free_claims(1); check() }
    :: atomic { !dead[0] && !leaving[0] && !leaving[1] && !joined[0] && !joined[1] -> joined[0] = 1 } /* alone */
    :: atomic { !dead[1] && !leaving[0] && !leaving[1] && !joined[1] && !joined[0] -> joined[1] = 1 }
    :: atomic { dead[0] -> free_claims(0); dead[0] = 0; check() } /* starts again */
    :: atomic { dead[1] -> free_claims(1); dead[1] = 0; check() }
    od
}
