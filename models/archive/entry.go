package archive

// The general purpose flags (APPNOTE.TXT 4.4.4).
const (
	flagEncrypted       = 1 << 0
	flagLevel           = 1<<1 | 1<<2 // how hard the packer tried: a remark, the only flags that may differ
	flagStreamed        = 1 << 3      // sizes and checksum follow the data
	flagStrongEncrypted = 1 << 6
	flagUTF8            = 1 << 11
	flagMasked          = 1 << 13 // local headers are blanked out, the directory is encrypted

	flagsEncrypted = flagEncrypted | flagStrongEncrypted | flagMasked
	flagsAllowed   = flagLevel | flagStreamed | flagUTF8
)

const (
	methodStore   = 0
	methodDeflate = 8
)

// ratioFrom is the unpacked size up to which the ratio is not looked at: small files of one letter are no bombs.
const ratioFrom = 1 << 20

// manifestPath is where an archive may say what it is.
const manifestPath = "collection.json"

// check judges what the directory says of an entry, first of all its name, so that later refusals can show it.
func (e *entry) check(madeBy byte, attributes uint32, limits Limits) error {
	if code, problem := judgeName(e.name, limits); problem != "" {
		return e.refuse(code, "%s", problem)
	}
	switch {
	case e.flags&flagsEncrypted != 0:
		return e.refuse(Encrypted, "is encrypted; pack it without a password")
	case e.flags&^flagsAllowed != 0, e.method != methodStore && e.method != methodDeflate:
		return e.refuse(Method, "is packed by a method other than Store and Deflate")
	}
	if err := e.checkKind(madeBy, attributes); err != nil {
		return err
	}
	return e.checkSize(limits)
}

func (e *entry) checkSize(limits Limits) error {
	switch {
	case e.isFolder() && e.size != 0:
		return e.refuse(Mismatch, "is a folder with bytes in it")
	case e.method == methodStore && e.packed != e.size:
		return e.refuse(Mismatch, "is stored as it is, and has two different sizes")
	case e.size > limits.FileBytes:
		return e.refuse(TooLarge, "is larger than the limit of %s for one file", bytesText(limits.FileBytes))
	case e.name == manifestPath && e.size > limits.ManifestBytes:
		return e.refuse(Manifest, "is larger than the limit of %s for the manifest", bytesText(limits.ManifestBytes))
	case e.size > ratioFrom && (e.size-1)/int64(max(limits.Ratio, 1)) >= e.packed: // size > ratio * packed, without overflow
		return e.refuse(Bomb, "unpacks to more than %d times its size", limits.Ratio)
	}
	return nil
}

// Kinds of file, in the upper half of the attributes as Unix has them whoever made the archive, and in the lower
// half as Windows has them when Windows made it.
const (
	unixKind    = 0o170000
	unixFolder  = 0o040000
	unixFile    = 0o100000
	unixLink    = 0o120000
	unixSetuid  = 0o4000 | 0o2000
	dosFolder   = 0x10
	dosRedirect = 0x400 // a reparse point: link or junction
)

// checkKind lets ordinary files and folders pass. The rest of the attributes never leaves the archive, so a folder
// may carry any (setgid is common on shared ones).
func (e *entry) checkKind(madeBy byte, attributes uint32) error {
	byWindows := madeBy == 0 || madeBy == 10 || madeBy == 14 // FAT, NTFS, VFAT
	mode := attributes >> 16
	switch kind := mode & unixKind; {
	case kind == unixLink, byWindows && attributes&dosRedirect != 0:
		return e.refuse(Symlink, "is a link; only files and folders can be installed")
	case kind != 0 && kind != unixFile && kind != unixFolder:
		return e.refuse(Special, "is a device, pipe or socket; only files and folders can be installed")
	case kind == unixFile && e.isFolder(),
		kind == unixFolder && !e.isFolder(),
		byWindows && attributes&dosFolder != 0 && !e.isFolder():
		return e.refuse(Mismatch, "is a file by its name or by its attributes, and a folder by the other")
	case mode&unixSetuid != 0 && !e.isFolder():
		return e.refuse(Special, "runs with its owner's rights (setuid or setgid); only ordinary files can be installed")
	}
	return nil
}
