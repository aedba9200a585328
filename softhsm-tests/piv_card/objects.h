#pragma once

#include <map>
#include <string>

#include "softhsm-tests/piv_card/key_store.h"

namespace p11mime::piv_card {

/// kApplication is the application identifier of PIV; kDiscoveryTag the tag of the discovery object.
inline constexpr Byte kApplication[] = {0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00};
inline constexpr unsigned kDiscoveryTag = 0x7e;

/// data_objects are the contents of the card (SP 800-73-4 part 1, section 3), by the tag that GET DATA names them by,
/// each as GET DATA answers it: CHUID, discovery object, certificates, and key history where there are retired keys.
/// `serial` is the end of the card's GUID.
std::map<unsigned, Bytes> data_objects(const KeyStore& store, ByteView serial);

/// application_template is the answer to SELECT (SP 800-73-4 part 2, table 3).
Bytes application_template();

}  // namespace p11mime::piv_card
