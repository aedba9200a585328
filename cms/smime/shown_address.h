#pragma once

#include <string>
#include <vector>

namespace p11mime::cms::smime {

/// foreign_address is what a reader would take for an address in a From field, and is none of `mailboxes`; "" for
/// nothing. Looked at are the field as it stands and each name in it as programs show it, encoded words that RFC 2047
/// forbids decoded too, words together and each by itself, with what looks like a dot or an "@" as that, and in the
/// order of a screen whose texts run from left to right or from right to left. Blanks that hardly show, and line ends
/// in encoded words, which some programs leave out, do not break an address up, nor do controls, comments and quotes,
/// nor a comma or a blank for the last of its dots (with_odd_dots).
///
/// "@alice_x" and "Alice@ACME" are none, nor is a handle at Bluesky, "@alice.bsky.social", which has no local part. One
/// in the Fediverse, "@ceo@bank.example", is as good as an address, and "@bank.example" as the end of one. Written with
/// gaps or in words, what follows the "@" must look like a domain, which the name of a house with initials does not:
/// "Alice @ B.Braun". In words without brackets it must be no name of the sender's own house, "Help at Example.com",
/// and no place in a sentence: "Look at booking.com" has "look" where a mailbox would stand. A host by itself is none.
std::string foreign_address(std::string field_value, const std::vector<std::string>& mailboxes);

/// known_address_shown is which of the addresses that a reader knows a name in a field shows, whatever stands between
/// its letters or for its dots ("alice@ex ample gov"), and is none of `mailboxes`; "" for none. The field as it stands
/// may show one too, with a comment for the "@" (RFC 5322): "alice (at) example gov <eve@example.org>". Blanks that
/// hardly show stand for no dot of the sender's own address.
std::string known_address_shown(const std::string& field_value, const std::vector<std::string>& known,
                                const std::vector<std::string>& mailboxes);

/// turns_letters says whether a field has letters shown from right to left that are written from left to right.
bool turns_letters(const std::string& field_value);

}  // namespace p11mime::cms::smime
