#pragma once

#include "token/cryptoki.h"

namespace p11mime::token {

/// offer_mutexes offers a module mutexes to use among its threads, which never make a thread wait for itself or for
/// ever: then they answer CKR_GENERAL_ERROR. OpenSC 0.23 leaves the card's locked where the card is pulled out while
/// its state is asked for, and would hang at the next call.
void offer_mutexes(CK_C_INITIALIZE_ARGS& arguments);

}  // namespace p11mime::token
