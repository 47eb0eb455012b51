import { Link } from "react-router";

export function Brand() {
  return (
    <Link to="/" className="brand" aria-label="Weft">
      <img src="/weft.svg" alt="" />
      <span>Weft</span>
    </Link>
  );
}
