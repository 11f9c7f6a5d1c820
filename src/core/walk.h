#ifndef WQ_CORE_WALK_H
#define WQ_CORE_WALK_H

#include "core/message.h"

struct group;
struct hold;
struct queue;

/*
 * A walk over the messages of one state.  Of available ones, first those
 * without a group and then group by group, each oldest first.  The message
 * that was given last may leave its place, as long as the group the walk is
 * in stays (group_ref()); no other may.
 */
struct walk {
	struct queue *queue;
	enum message_state state;
	struct group *group;		/* whose line it is in; NULL: none */
	struct message *fresh, *returned;	/* next of each list */
	struct hold *hold;		/* next of the locked or delayed */
};

void	walk_begin(struct walk *, struct queue *, enum message_state);
/* Begin behind m, among those of its state. */
void	walk_after(struct walk *, struct message *m);
/* NULL: that was the last. */
struct message	*walk_next(struct walk *);

#endif
