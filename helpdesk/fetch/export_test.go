package fetch

// RefuseInside is what DialPublic asks about every address before it connects.
var RefuseInside = refuseInside
